import { type AuditLink, agentChain, genesis, hashOf, type Report } from '@landfall/contract'
import type { Target } from '@landfall/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Senders } from '../../telemetry/senders.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createAgents } from '../agents.ts'
import { linkOf } from '../report/agent-link.ts'
import { codeOf, createWorld, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
  await world.publish('1.0.0', 1)
})
afterAll(() => server.stop())

const row = (id: string) =>
  world.manager.db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const running = (target: Target | null, generation = 1) => ({
  phase: 'running' as const,
  stable: target,
  generation,
  reason: { code: 'RUNNING', message: 'Runs', since: 0 },
})
const arrived = { type: 'deployment.arrived', message: 'Arrived' }

describe('a report', () => {
  it('becomes the state of the deployment, as pages and the API read it', async () => {
    const agent = await world.running('whole')
    await world.tell('whole', '1.0.0')
    const { order } = await agent.sync()
    const generation = order?.generation ?? 0
    const report = agent.report({
      state: running(order?.target ?? null, generation),
      observed: generation,
      local: ['updates'],
      customer: { ...agent.setup.customer, updates: 'approval' },
    })
    const answer = await agent.sync({ known: generation, report })
    expect(answer.reported).toBe(report.number)
    const seen = await world.admin.getDeployment({ params: world.of('whole') })
    expect(seen).toMatchObject({
      phase: 'running',
      health: 'healthy',
      actual: { version: '1.0.0' },
      generation: { requested: generation, observed: generation },
    })
    const view = await world.admin.getAgent({ params: world.of('whole') })
    expect(view).toMatchObject({ enrolled: true, local: ['updates'], via: 'sync', version: '0.1.0', problems: [] })
    // The portal's settings stay what they are: the agent's own only win over them.
    expect((await row(agent.deployment)).customer.updates).toBe('automatic')
    const { sentence } = await world.admin.explainDeployment({ params: world.of('whole') })
    expect(sentence).toContain('runs 1.0.0')
  })

  it("that is an agent's first has rollouts look at once whether it is to be brought along; no later one does", async () => {
    const { db, keyring, clock } = world.manager.services
    const woken: string[] = []
    const waker = { wake: (...about: string[]) => void woken.push(...about) }
    const { takeReport } = createAgents({ db, keyring, clock, waker })
    const agent = await world.running('newcomer')
    for (const rollouts of [1, 0]) {
      await takeReport(agent.deployment, agent.report(), 'sync')
      expect(woken.splice(0).filter((topic) => topic === 'rollouts')).toHaveLength(rollouts)
    }
  })

  it('that comes twice, late, or over another connection changes nothing more', async () => {
    const agent = await world.running('order')
    const first = agent.report({ state: { phase: 'setting-up' }, audit: agent.happened(arrived) })
    const second = agent.report({ state: { phase: 'running' }, audit: agent.happened(arrived) })
    await agent.sync({ report: first })
    await agent.sync({ report: first })
    expect((await agent.sync({ report: second })).reported).toBe(2)
    const late = await agent.sync({ report: first })
    expect(late).toMatchObject({ reported: 2, audit: { number: 2 } })
    expect((await row(agent.deployment)).phase).toBe('running')
    const { takeReport } = world.manager.services.agents
    expect(await takeReport(agent.deployment, first, 'export')).toMatchObject({ taken: false, reported: 2 })
    expect(await takeReport(agent.deployment, second, 'export')).toMatchObject({ taken: false })
    const entries = (await world.audit('order')).filter((entry) => entry.type === arrived.type)
    expect(entries).toHaveLength(2)
  })

  it('sent twice at once is taken once', async () => {
    const agent = await world.running('race')
    const report = agent.report({ audit: agent.happened(arrived) })
    const { takeReport } = world.manager.services.agents
    const both = await Promise.all([1, 2, 3].map(() => takeReport(agent.deployment, report, 'sync')))
    expect(both.filter(({ taken }) => taken)).toHaveLength(1)
    expect((await world.audit('race')).filter((entry) => entry.type === arrived.type)).toHaveLength(1)
  })

  it('of another deployment is refused', async () => {
    const agent = await world.running('mine')
    const other = await world.running('theirs')
    expect(await codeOf(agent.sync({ report: other.report() }))).toBe('E_REPORT_FOREIGN')
    expect((await row(other.deployment)).state).toBeNull()
  })

  it('by the same road from an export was seen when it was written, not when it was carried', async () => {
    await world.create('dark', { model: 'airgapped' })
    const agent = await world.agent('dark')
    await agent.enrol()
    const at = world.manager.clock.now() - 86_400_000
    await world.manager.services.agents.takeReport(agent.deployment, agent.report({ at }), 'export')
    const view = await world.admin.getAgent({ params: world.of('dark') })
    expect(view).toMatchObject({ via: 'export', lastSeenAt: new Date(at).toISOString() })
    const future = agent.report({ at: at + 1e12 })
    await world.manager.services.agents.takeReport(agent.deployment, future, 'export')
    expect((await world.admin.getAgent({ params: world.of('dark') })).lastSeenAt).toBe(
      new Date(world.manager.clock.now()).toISOString(),
    )
  })

  it('without an agent that is enrolled is refused', async () => {
    await world.create('nobody')
    const agent = await world.agent('nobody')
    const take = world.manager.services.agents.takeReport(agent.deployment, agent.report(), 'export')
    expect(await codeOf(take)).toBe('E_AGENT_NOT_ENROLLED')
  })

  it('can’t claim what was never asked, and ends a deployment that was destroyed', async () => {
    const agent = await world.running('ends')
    await agent.sync({ report: agent.report({ observed: 1_000_000 }) })
    const { requested_generation, observed_generation } = await row(agent.deployment)
    expect(observed_generation).toBe(requested_generation)
    await world.admin.destroyDeployment({ params: world.of('ends') })
    await agent.sync({ report: agent.report({ state: { phase: 'deleted' } }) })
    expect((await row(agent.deployment)).deleted_at).not.toBeNull()
  })

  it('keeps the answers that were given at the agent, and does not give them back as the vendor’s', async () => {
    const agent = await world.running('answers')
    await world.tell('answers', '1.0.0')
    const target = (await agent.sync()).order?.target?.digest ?? ''
    const answers = [{ gate: 'update', target, status: 'pass' as const, by: 'root at the site', at: 5 }]
    await agent.sync({ report: agent.report({ answers }) })
    await agent.sync({ report: agent.report({ answers }) })
    const kept = await world.manager.db
      .selectFrom('answers')
      .selectAll()
      .where('deployment', '=', agent.deployment)
      .execute()
    expect(kept).toMatchObject([{ gate: 'update', target, status: 'pass', by: 'agent:root at the site' }])
    // One that makes answers up fills nothing.
    for (let round = 0; round < 3; round++) {
      const many = Array.from({ length: 200 }, (_, n) => ({
        ...answers[0],
        target,
        gate: `g${n}`,
        at: round * 200 + n,
      }))
      await agent.sync({ report: agent.report({ answers: many as typeof answers }) })
    }
    const { count } = await world.manager.db
      .selectFrom('answers')
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(200)
    // And pushes none of the portal's out, whatever its clock says.
    await world.manager.db
      .insertInto('answers')
      .values({
        ...{ deployment: agent.deployment, id: 'ans_1', gate: 'update', target, status: 'pass', by: 'ada' },
        ...{ message: null, at: new Date(1) },
      })
      .execute()
    expect((await agent.sync()).order?.answers).toMatchObject([{ gate: 'update', target, by: 'ada' }])
  })

  it('nudges the rollout that told it, and wakes pages', async () => {
    const agent = await world.running('nudged')
    const { db } = world.manager
    const [rollout] = await db.selectFrom('rollouts').select(['id', 'requested_generation']).execute()
    const id = rollout?.id ?? ''
    await db
      .updateTable('rollouts')
      .set({ observed_generation: rollout?.requested_generation ?? 0 })
      .where('id', '=', id)
      .execute()
    await db.updateTable('deployments').set({ rollout: id }).where('id', '=', agent.deployment).execute()
    await agent.sync({ report: agent.report({ state: { phase: 'failed' } }) })
    const after = await db
      .selectFrom('rollouts')
      .select('requested_generation')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(after.requested_generation).toBe((rollout?.requested_generation ?? 0) + 1)
    const changes = await db.selectFrom('changes').select('kind').where('id', '=', agent.deployment).execute()
    expect(changes.length).toBeGreaterThan(0)
  })
})

describe('the customer’s settings', () => {
  it('of the agent count where they were set there, the portal’s everywhere else', async () => {
    const agent = await world.running('settings')
    const customer = { ...agent.setup.customer, telemetry: 'off' as const, updates: 'paused' as const }
    const senders = () => new Senders(world.manager.db, world.manager.clock).find(agent.deployment)
    await agent.sync({ report: agent.report({ customer, local: ['updates'] }) })
    expect((await senders())?.telemetry).toBe('on')
    await agent.sync({ report: agent.report({ customer, local: ['telemetry'] }) })
    expect((await senders())?.telemetry).toBe('off')
  })
})

describe('junk in a report', () => {
  it.each([
    ['no state at all', 'running'],
    ['a phase that there is not', { phase: 'dancing' }],
    ['an instant that no calendar has', { reason: { code: 'X', message: 'x', since: 1e300 } }],
    ['resources that are a list', { resources: [1, 2] }],
    ['a target that is none', { stable: { digest: 'sha256:1' } }],
    ['too much', { conditions: [], extra: 'x'.repeat(1_100_000) }],
  ])('%s: refused whole, and the page still opens', async (name, state) => {
    const deployment = `junk-${name.replaceAll(' ', '-')}`
    const agent = await world.running(deployment)
    const report = agent.report({ audit: agent.happened(arrived) }) as Report
    const junk = typeof state === 'object' ? { ...(report.state as object), ...state } : state
    expect(await codeOf(agent.sync({ report: { ...report, state: junk } }))).toBe('E_REPORT_INVALID')
    expect(await agent.sync()).toMatchObject({ reported: 0, audit: { number: 0 } })
    expect((await row(agent.deployment)).state).toBeNull()
    await world.admin.getDeployment({ params: world.of(deployment) })
  })

  it('that is too large as a whole is refused before it is read', async () => {
    const agent = await world.running('huge')
    const response = await world.manager.call('POST', '/api/agent/sync', {
      token: agent.token,
      body: 'x'.repeat(9_000_000),
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(413)
  })

  it('in the text of a state (NUL, half a character) is cleaned; fields that are not known here are kept', async () => {
    const agent = await world.running('odd')
    const report = agent.report()
    const state = {
      ...(report.state as object),
      reason: { code: 'X', message: 'a\0b\ud800c', since: 0 },
      newer: { field: 1 },
    }
    await agent.sync({ report: { ...report, state } })
    expect((await row(agent.deployment)).state).toMatchObject({ reason: { message: 'ab\ufffdc' }, newer: { field: 1 } })
  })
})

describe('the agent’s audit', () => {
  /** As somebody makes it up who can compute hashes. */
  const hashed = (content: AuditLink): AuditLink => ({ ...content, hash: hashOf(content) })
  const copied = async (name: string): Promise<AuditLink[]> =>
    (await world.audit(name))
      .filter((entry) => entry.actor.startsWith('agent:') && entry.type !== 'agent.enrolled')
      .reverse()

  it('is kept with what it takes to prove it, beside what the manager did', async () => {
    const agent = await world.running('proved')
    const links = agent.happened(
      {
        type: 'rollout.aborted',
        code: 'WORSE',
        message: 'Worse',
        data: { evidence: [{ metric: 'error-rate', p: 0.01 }] },
      },
      { type: 'settings.changed', message: 'Paused', actor: 'root', data: null },
      { type: 'odd', message: 'A list', data: [1, { agentLink: 2 }] },
      { type: 'odd', message: 'The same name', data: { agentLink: 'mine', other: 1 } },
      { type: 'odd', message: 'Nothing in it', data: {} },
      { type: 'odd', message: 'A word', data: 'word' },
    )
    await agent.sync({ report: agent.report({ audit: links }) })
    const entries = await copied('proved')
    expect(entries[0]).toMatchObject({
      type: 'rollout.aborted',
      code: 'WORSE',
      actor: 'agent:engine',
      data: { evidence: [{ metric: 'error-rate', p: 0.01 }] },
    })
    const restored = entries.map(linkOf)
    expect(restored).toEqual(links)
    expect(restored[0]?.previous).toBe(genesis(agentChain(agent.deployment)))
    expect((await world.admin.verifyAudit({ params: world.of('proved') })).ok).toBe(true)
  })

  it('asks for what is missing, and takes what overlaps', async () => {
    const agent = await world.running('gap')
    const links = agent.happened(arrived, arrived, arrived, arrived)
    expect(await codeOf(agent.sync({ report: agent.report({ audit: links.slice(1) }) }))).toBe('E_AUDIT_GAP')
    expect((await agent.sync()).audit).toEqual({ number: 0, hash: genesis(agentChain(agent.deployment)) })
    await agent.sync({ report: agent.report({ audit: links.slice(0, 2) }) })
    const answer = await agent.sync({ report: agent.report({ audit: links.slice(1) }) })
    expect(answer.audit).toEqual({ number: 4, hash: links[3]?.hash })
    expect(await copied('gap')).toHaveLength(4)
  })

  it.each<[string, (links: AuditLink[]) => AuditLink[]]>([
    ['changed', ([first, ...rest]) => [{ ...(first as AuditLink), message: 'Nothing happened' }, ...rest]],
    [
      'of another chain',
      ([first, second]) => [first as AuditLink, hashed({ ...(second as AuditLink), deployment: 'dep_other' })],
    ],
    [
      'out of order',
      ([first, second]) => [first as AuditLink, hashed({ ...(second as AuditLink), previous: 'sha256:0' })],
    ],
  ])('%s: is refused whole, and people see it', async (name, change) => {
    const deployment = `broken-${name.replaceAll(' ', '-')}`
    const agent = await world.running(deployment)
    const links = change(agent.happened(arrived, arrived))
    const report = agent.report({ audit: links, state: { phase: 'running' } })
    expect(await codeOf(agent.sync({ report }))).toBe('E_AUDIT_BROKEN')
    expect(await codeOf(agent.sync({ report }))).toBe('E_AUDIT_BROKEN')
    expect((await row(agent.deployment)).state).toBeNull()
    expect(await copied(deployment)).toEqual([])
    const { problems } = await world.admin.getAgent({ params: world.of(deployment) })
    expect(problems.map((problem) => problem.code)).toEqual(['E_AUDIT_BROKEN'])
    const { next } = await world.admin.explainDeployment({ params: world.of(deployment) })
    expect(next).toContain('--replace')
  })

  it('of an old copy that goes on does not follow', async () => {
    const agent = await world.running('fork')
    await agent.sync({ report: agent.report({ audit: agent.happened(arrived) }) })
    const copy = agent.copy()
    await agent.sync({ report: agent.report({ audit: agent.happened({ ...arrived, message: 'One way' }) }) })
    await copy.begin()
    const other = copy.happened({ ...arrived, message: 'Another way' }, arrived)
    copy.number += 5
    expect(await codeOf(copy.sync({ report: copy.report({ audit: other }) }))).toBe('E_AUDIT_BROKEN')
    // Nor when it sends only what comes after all that is here.
    expect(await codeOf(copy.sync({ report: copy.report({ audit: other.slice(1) }) }))).toBe('E_AUDIT_BROKEN')
    expect(await copied('fork')).toHaveLength(2)
  })
})
