import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '@landfall/contract'
import { type CreateExportOptions, createExport } from '@landfall/release'
import { canonicalJson, LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noCommands } from '../agents/command-handover.ts'
import { createWorld, type World } from '../agents/tests/world.ts'
import { TestAgent } from '../testing/agent.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { takeExport } from './take-export.ts'

let server: TestServer
let world: World
let dir = ''
let files = 0

beforeAll(async () => {
  server = await startTestServer()
  dir = await mkdtemp(join(tmpdir(), 'landfall-exports-'))
})
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})
beforeEach(async () => {
  world = await createWorld(server)
})

const params = { project: 'acme' }
const iso = (at: number) => new Date(at).toISOString()

/** A site that nobody has heard of yet. */
async function site(name = 'initech') {
  await world.create(name, { model: 'airgapped' })
  return new TestAgent(world.manager.client, await world.admin.createAgentSetup({ params: world.of(name), body: {} }))
}

/** What its agent writes, signed by its key. */
async function exported(agent: TestAgent, sequence: number, more: Partial<CreateExportOptions> = {}): Promise<string> {
  files += 1
  const out = join(dir, `${files}.export`)
  const now = world.manager.clock.now()
  const { project } = agent.setup.deployment
  await createExport({ out, project, deployment: agent.deployment, agent: agent.signer, sequence, now, ...more })
  return out
}
const bring = async (file: string) => world.ci.importExport({ params, body: Uint8Array.from(await readFile(file)) })
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: unknown) => (LandfallError.is(error) ? error.code : String(error)),
  )

const line = (body: string, at: number) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] },
        scopeLogs: [{ logRecords: [{ timeUnixNano: `${at}000000`, severityNumber: 9, body: { stringValue: body } }] }],
      },
    ],
  })
const logs = async (name = 'initech') =>
  (await world.admin.getLogs({ params: world.of(name), query: {} })).items.map(({ body, at }) => ({ body, at }))

async function checkpoint(agent: TestAgent, change: { hash?: string } = {}) {
  const last = agent.links.at(-1)
  const content = {
    deployment: agent.deployment,
    number: last?.number ?? 1,
    hash: change.hash ?? last?.hash ?? '',
    at: iso(world.manager.clock.now()),
  }
  const signature = await agent.signer.sign(Buffer.from(canonicalJson(content)))
  return { ...content, signature: Buffer.from(signature).toString('base64') }
}

describe('what a site hands back', () => {
  it('enrols its agent, and its reports, audit, telemetry and checkpoint are taken as if they had come by sync', async () => {
    const { release } = await world.publish('1.0.0', 1)
    const agent = await site()
    const at = world.manager.clock.now() - 3 * 86_400_000
    const audit = agent.happened(
      { type: 'engine.step', message: 'made the area' },
      { type: 'engine.step', message: 'made api' },
    )
    const target = { digest: release, release, config: release }
    const reports: Report[] = [
      agent.report({ at, audit, observed: 0, state: { phase: 'updating' } }),
      agent.report({ at: at + 1, state: { phase: 'running', stable: target } }),
    ]
    const telemetry = {
      logs: Buffer.from([line('one', at), line('two', at + 5), '{"resourceLogs": 7}', ''].join('\n')),
    }
    const file = await exported(agent, 1, {
      enrolment: agent.enrolment(),
      reports,
      telemetry,
      checkpoints: [await checkpoint(agent)],
    })
    const taken = await bring(file)
    expect(taken).toMatchObject({ name: 'initech', sequence: 1, status: 'imported', enrolled: true, reports: 2 })
    expect(taken.telemetry).toEqual({ logs: 2, metrics: 0, traces: 0 })
    const seen = await world.admin.getDeployment({ params: world.of('initech') })
    expect(seen).toMatchObject({ phase: 'running', actual: { version: '1.0.0' }, lastSeenAt: iso(at + 1) })
    const known = await world.admin.getAgent({ params: world.of('initech') })
    expect(known).toMatchObject({ enrolled: true, via: 'export', lastReportAt: iso(at + 1) })
    expect(await logs()).toEqual(
      expect.arrayContaining([
        { body: 'one', at: iso(at) },
        { body: 'two', at: iso(at + 5) },
      ]),
    )
    const types = (await world.audit('initech')).map((entry) => entry.type)
    for (const type of ['export.imported', 'agent.checkpoint', 'agent.enrolled', 'engine.step'])
      expect(types).toContain(type)
  })

  it('is taken once: again it says so and does nothing, an older one is refused, a newer one that carries all of it adds the rest', async () => {
    const agent = await site()
    const at = world.manager.clock.now() - 60_000
    const first = agent.happened({ type: 'a', message: 'a' })
    const one = await exported(agent, 1, {
      enrolment: agent.enrolment(),
      reports: [agent.report({ at, audit: first })],
      telemetry: { logs: Buffer.from(`${line('one', at)}\n`) },
    })
    const second = agent.happened({ type: 'b', message: 'b' })
    const three = await exported(agent, 3, {
      enrolment: agent.enrolment(),
      reports: [agent.report({ at: at + 1, audit: [...first, ...second] })],
      telemetry: { logs: Buffer.from(`${line('one', at)}\n${line('three', at + 1)}\n`) },
    })
    const two = await exported(agent, 2, { reports: [agent.report({ at })] })
    expect((await bring(three)).status).toBe('imported')
    const before = await world.audit('initech')
    expect(await bring(three)).toMatchObject({ status: 'already', reports: 0, telemetry: { logs: 0 } })
    expect(await code(bring(one))).toBe('E_EXPORT_REPLAYED')
    expect(await code(bring(two))).toBe('E_EXPORT_REPLAYED')
    expect(await world.audit('initech')).toEqual(before)
    expect((await logs()).map((each) => each.body).sort()).toEqual(['one', 'three'])
    const order = await world.ci.createBundleOrder({ params: world.of('initech'), body: {} })
    expect(order.order.confirmed).toBe(3)
  })

  it('is refused where it is another project’s, another key’s, changed at any place or cut short, and then changes nothing', async () => {
    const agent = await site()
    const other = await site('globex')
    const at = world.manager.clock.now()
    const content = { reports: [agent.report({ at })], telemetry: { logs: Buffer.from(`${line('x', at)}\n`) } }
    expect(await code(bring(await exported(agent, 1, content)))).toBe('E_AGENT_NOT_ENROLLED')
    const full = { ...content, enrolment: agent.enrolment() }
    expect(await code(bring(await exported(agent, 1, { ...full, project: 'others' })))).toBe('E_EXPORT_DEPLOYMENT')
    expect(await code(bring(await exported(agent, 1, { ...full, deployment: 'dep_none' })))).toBe('E_EXPORT_DEPLOYMENT')
    // Another's key, another's enrolment, a wrong token.
    expect(await code(bring(await exported(agent, 1, { ...full, agent: other.signer })))).not.toBe('taken')
    expect(await code(bring(await exported(agent, 1, { ...full, enrolment: other.enrolment() })))).not.toBe('taken')
    expect(await code(bring(await exported(agent, 1, { ...full, enrolment: agent.enrolment('lf_enrol_no') })))).toBe(
      'E_ENROLMENT_REFUSED',
    )
    const good = await exported(agent, 1, full)
    const size = (await readFile(good)).length
    for (const cut of [0, 1, 511, 512, 1024, size - 1024, size - 1]) {
      const short = join(dir, 'short.export')
      await writeFile(short, await readFile(good))
      await truncate(short, cut)
      expect(await code(bring(short)), `cut at ${cut}`).not.toBe('taken')
    }
    for (let place = 100; place < size; place += 401) {
      const changed = await readFile(good)
      changed[place] = (changed[place] ?? 0) ^ 1
      const file = join(dir, 'changed.export')
      await writeFile(file, changed)
      expect(await code(bring(file)), `changed at ${place}`).not.toBe('taken')
    }
    expect(await world.admin.getAgent({ params: world.of('initech') })).toMatchObject({
      enrolled: false,
      lastReportAt: null,
    })
    expect(await logs()).toEqual([])
    expect((await bring(good)).enrolled).toBe(true)
    // A second key for the same deployment, with a proof that would have held.
    const thief = new TestAgent(world.manager.client, agent.setup)
    expect(
      await code(bring(await exported(thief, 2, { reports: [thief.report()], enrolment: thief.enrolment() }))),
    ).toBe('E_AGENT_ENROLLED')
  })

  it('is refused whole for one document that is wrong, and a record that was written anew is told to people', async () => {
    const agent = await site()
    const at = world.manager.clock.now()
    const links = agent.happened({ type: 'a', message: 'a' })
    const telemetry = { logs: Buffer.from(`${line('x', at)}\n`) }
    const enrolment = agent.enrolment()
    const bad = { ...agent.report({ at }), state: { phase: 'nonsense' } }
    const good = agent.report({ at, audit: links })
    expect(await code(bring(await exported(agent, 1, { enrolment, telemetry, reports: [good, bad] })))).toBe(
      'E_REPORT_INVALID',
    )
    expect(await code(bring(await exported(agent, 1, { enrolment, telemetry, reports: [{ x: 1 }] })))).toBe(
      'E_EXPORT_INVALID',
    )
    expect(await logs()).toEqual([])
    expect(await world.admin.getAgent({ params: world.of('initech') })).toMatchObject({ enrolled: false })
    await bring(await exported(agent, 1, { enrolment, reports: [good] }))
    const forged = await checkpoint(agent, { hash: `sha256:${'0'.repeat(64)}` })
    expect(await code(bring(await exported(agent, 2, { telemetry, checkpoints: [forged] })))).toBe('E_AUDIT_BROKEN')
    expect(await logs()).toEqual([])
    const { problems } = await world.admin.getAgent({ params: world.of('initech') })
    expect(problems.map((problem) => problem.code)).toContain('E_AUDIT_BROKEN')
  })

  it('goes on where it was cut off: what was taken is not taken twice, what was not is', async () => {
    const agent = await site()
    const { services } = world.manager
    const at = services.clock.now()
    const file = await exported(agent, 1, {
      enrolment: agent.enrolment(),
      reports: [agent.report({ at, audit: agent.happened({ type: 'a', message: 'a' }) })],
      telemetry: { logs: Buffer.from(`${line('one', at)}\n${line('two', at)}\n`) },
    })
    const { take } = services.control.telemetry
    let calls = 0
    // The manager dies in the middle of the telemetry: nothing after it is done.
    const dying = {
      take: (incoming: Parameters<typeof take>[0]) => {
        calls += 1
        if (calls === 2) throw new Error('killed')
        return services.control.telemetry.take(incoming)
      },
    }
    const { db, clock, random } = services
    const deps = { db, clock, random, commands: noCommands }
    const of = { project: 'acme', file, actor: 'ada' }
    await expect(takeExport({ ...deps, telemetry: dying }, of)).rejects.toThrow('killed')
    expect((await world.audit('initech')).map((entry) => entry.type)).not.toContain('export.imported')
    const { imported } = await takeExport({ ...deps, telemetry: services.control.telemetry }, of)
    expect(imported).toMatchObject({ status: 'imported', telemetry: { logs: 2 } })
    expect((await logs()).map((each) => each.body).sort()).toEqual(['one', 'two'])
    const audit = (await world.audit('initech')).map((entry) => entry.type)
    expect(audit.filter((type) => type === 'a')).toHaveLength(1)
    expect(audit.filter((type) => type === 'export.imported')).toHaveLength(1)
    expect((await takeExport({ ...deps, telemetry: services.control.telemetry }, of)).imported.status).toBe('already')
  })

  it('that ends late, after the same file or a newer one was taken, writes down nothing more', async () => {
    const agent = await site()
    const { db, clock, random, control } = world.manager.services
    const at = clock.now()
    const deps = { db, clock, random, commands: noCommands, telemetry: control.telemetry }
    const telemetry = { logs: Buffer.from(`${line('one', at)}\n`) }
    const one = await exported(agent, 1, { enrolment: agent.enrolment(), reports: [agent.report({ at })], telemetry })
    const two = await exported(agent, 2, { telemetry })
    const three = await exported(agent, 3, { telemetry })
    /** Brought by Ada; while her manager is at its telemetry, Bob brings another, all of it. */
    const overtakenBy = (file: string, other: string) => {
      let others: Promise<unknown> | null = null
      const slow = async (incoming: Parameters<typeof control.telemetry.take>[0]) => {
        others ??= takeExport(deps, { project: 'acme', file: other, actor: 'bob' })
        await others
        return control.telemetry.take(incoming)
      }
      return takeExport({ ...deps, telemetry: { take: slow } }, { project: 'acme', file, actor: 'ada' })
    }
    const importers = async () =>
      (await world.audit('initech')).filter(({ type }) => type === 'export.imported').map(({ actor }) => actor)
    expect((await overtakenBy(one, one)).imported.status).toBe('imported')
    expect(await importers()).toEqual(['bob'])
    expect((await overtakenBy(two, three)).imported.status).toBe('imported')
    expect(await importers()).toEqual(['bob', 'bob'])
    expect(await code(bring(two))).toBe('E_EXPORT_REPLAYED')
    expect((await bring(three)).status).toBe('already')
  })

  it('is taken whole when it says that the deployment is gone, and says so again when it comes twice', async () => {
    const agent = await site()
    const at = world.manager.clock.now()
    await bring(await exported(agent, 1, { enrolment: agent.enrolment(), reports: [agent.report({ at })] }))
    const audit = agent.happened({ type: 'deployment.deleted', message: 'Everything is gone' })
    const last = await exported(agent, 2, {
      reports: [agent.report({ at: at + 1, audit, state: { phase: 'deleted' } })],
      telemetry: { logs: Buffer.from(`${line('the last words', at)}\n`) },
      checkpoints: [await checkpoint(agent)],
    })
    expect(await bring(last)).toMatchObject({ status: 'imported', reports: 1 })
    expect((await world.admin.listDeployments({ params })).items).toEqual([])
    expect(await bring(last)).toMatchObject({ status: 'already' })
  })

  it('brings results of commands to whoever keeps them, and the same file from two people at once is taken once', async () => {
    const agent = await site()
    const { services } = world.manager
    const at = services.clock.now()
    const update = {
      id: 'cmd-1',
      attempt: 1,
      status: 'succeeded' as const,
      startedAt: at,
      finishedAt: at,
      output: [],
      result: null,
      error: null,
    }
    const file = await exported(agent, 1, {
      enrolment: agent.enrolment(),
      reports: [agent.report({ at, commands: [update] })],
      results: [
        {
          id: 'cmd-2',
          sealed: true,
          content: Buffer.from(JSON.stringify({ ...update, id: 'cmd-2', status: 'failed' })),
        },
      ],
    })
    const taken: string[] = []
    const commands = {
      ...noCommands,
      acceptUpdates: async (_: unknown, { updates }: { updates: readonly { id: string }[] }) => {
        taken.push(...updates.map(({ id }) => id))
      },
    }
    const { db, clock, random, control } = services
    const deps = { db, clock, random, commands, telemetry: control.telemetry }
    const both = await Promise.all(['ada', 'bob'].map((actor) => takeExport(deps, { project: 'acme', file, actor })))
    expect(both[0]?.imported.commands).toEqual([
      { id: 'cmd-1', status: 'succeeded' },
      { id: 'cmd-2', status: 'failed' },
    ])
    expect(taken.filter((id) => id === 'cmd-1')).toHaveLength(1)
    const types = (await world.audit('initech')).map((entry) => entry.type)
    expect(types.filter((type) => type === 'export.imported')).toHaveLength(1)
  })
})
