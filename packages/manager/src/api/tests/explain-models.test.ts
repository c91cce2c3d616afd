import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '@landfall/contract'
import type { DeploymentState } from '@landfall/engine'
import { createExport } from '@landfall/release'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noCommands } from '../../agents/command-handover.ts'
import { acceptReport } from '../../agents/report/accept-report.ts'
import { createWorld, type World } from '../../agents/tests/world.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import type { TestAgent } from '../../testing/agent.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'

let server: TestServer
let world: World
let dir = ''
let release = ''

beforeAll(async () => {
  server = await startTestServer()
  dir = await mkdtemp(join(tmpdir(), 'landfall-explain-'))
})
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})
beforeEach(async () => {
  world = await createWorld(server)
  release = (await world.publish('1.0.0', 1)).release
})

const explained = async (name = 'eu') => {
  const { sentence, checks, next } = await world.admin.explainDeployment({ params: world.of(name) })
  return { sentence, next, codes: checks.filter((one) => one.status !== 'ok').map((one) => one.code) }
}
const row = () => findDeployment(world.manager.db, 'acme', 'eu')

/** Its agent speaks now, or did some time ago; on the road of its model. */
async function reports(
  agent: TestAgent,
  state: Partial<DeploymentState> = {},
  more: Partial<Omit<Report, 'state'>> = {},
  agoMs = 0,
) {
  const { db, clock } = world.manager
  const at = clock.now() - agoMs
  const { id, model, requested_generation: generation } = await row()
  const report = agent.report({ at, observed: generation, state: { generation, ...state }, ...more })
  const via = model === 'pull' ? 'sync' : 'export'
  await db.transaction().execute((trx) => acceptReport(trx, { deployment: id, report, via, commands: noCommands, at }))
}
const rests = async (): Promise<Partial<DeploymentState>> => ({ phase: 'running', stable: (await row()).target })
const says = (code: string, message: string, agent: TestAgent): Partial<Omit<Report, 'state'>> => {
  const { agent: info } = agent.report()
  return { agent: { ...info, problems: [{ code, message, since: world.manager.clock.now() }] } }
}

describe('why a deployment with an agent is where it is', () => {
  it('before it has one: nobody set it up, it was never started', async () => {
    await world.create('eu')
    expect(await explained()).toMatchObject({ next: expect.stringContaining('landfall deployments agent-setup eu') })
    await world.agent('eu')
    const { sentence, codes, next } = await explained()
    expect(codes).toContain('AGENT_NOT_ENROLLED')
    expect(sentence).toContain('has not enrolled yet')
    expect(next).toContain('Start the agent')
  })

  it('silent, copied, out of room, with a clock that is off', async () => {
    const agent = await world.running('eu')
    await world.tell('eu', '1.0.0')
    await reports(agent, { phase: 'updating' }, {}, 3_600_000)
    expect(await explained()).toMatchObject({ next: expect.stringContaining('reaches this manager') })
    expect((await explained()).codes).toContain('AGENT_AWAY')

    await reports(agent, { phase: 'updating' }, says('CLOCK_OFF', 'its clock is a day ahead', agent))
    expect((await explained()).codes).toEqual(expect.arrayContaining(['CLOCK_OFF']))
    expect((await explained()).codes).not.toContain('AGENT_AWAY')

    await reports(agent, { phase: 'updating' }, says('DISK_FULL', 'The disk is full at /var/lib.', agent))
    expect(await explained()).toMatchObject({
      sentence: expect.stringContaining('The disk is full at /var/lib.'),
      next: expect.stringContaining('room made'),
    })

    const copy = agent.copy()
    await agent.begin()
    await expect(copy.begin()).rejects.toMatchObject({ code: 'E_AGENT_CLONED' })
    expect(await explained()).toMatchObject({
      sentence: expect.stringContaining('Two agents use the key'),
      next: expect.stringContaining('--replace'),
    })
  })

  it('that waits for an approval which only people there can give', async () => {
    const agent = await world.running('eu')
    const target = await row()
    await world.manager.db
      .updateTable('deployments')
      .set({ pinned: null, setup_release: release })
      .where('id', '=', target.id)
      .execute()
    await world.tell('eu', '1.0.0')
    const customer = { ...agent.setup.customer, updates: 'approval' as const, approvals: 'agent' as const }
    const reason = { code: 'WAITS_FOR_APPROVAL', message: 'Waits for the customer', since: 0 }
    await reports(agent, { phase: 'pending', reason }, { customer, local: ['updates', 'approvals'] })
    const { codes, next } = await explained()
    expect(codes).toContain('WAITS_FOR_APPROVAL')
    expect(next).toContain('landfall agent approve')
    // The setup was applied here, which is not their word.
    const needs = { code: 'NEEDS_SETUP', message: 'Waits for the customer to approve the setup', since: 0 }
    await reports(agent, { phase: 'needs-setup', reason: needs }, { customer, local: ['updates', 'approvals'] })
    expect((await explained()).next).toContain('Have the setup approved at the site')
  })
})

describe('why a site without network is where it is', () => {
  it('no bundle, a bundle of which nothing was heard, a report; and which of two releases it is about', async () => {
    await world.create('eu', { model: 'airgapped' })
    const agent = await world.agent('eu')
    expect((await explained()).codes).toContain('AGENT_NOT_ENROLLED')
    const out = join(dir, 'first.export')
    const { deployment } = agent
    const now = world.manager.clock.now()
    const content = { enrolment: agent.enrolment(), reports: [agent.report({ at: now })] }
    await createExport({ out, project: 'acme', deployment, agent: agent.signer, sequence: 1, now, ...content })
    await world.ci.importExport({ params: { project: 'acme' }, body: Uint8Array.from(await readFile(out)) })
    expect(await explained()).toMatchObject({
      sentence: expect.stringContaining('No bundle with 1.0.0 was made for it.'),
      next: expect.stringContaining('landfall bundle create 1.0.0 --deployment eu'),
    })

    await world.ci.createBundleOrder({ params: world.of('eu'), body: { release: '1.0.0' } })
    expect(await explained()).toMatchObject({
      sentence: expect.stringContaining('Nothing was reported since the bundle for 1.0.0 was made.'),
      next: expect.stringContaining('landfall bundle import'),
    })
    expect((await explained()).codes).not.toContain('NOT_SEEN')
    const known = await world.admin.getAgent({ params: world.of('eu') })
    expect(known.bundle).toMatchObject({ version: '1.0.0' })

    await reports(agent, await rests(), {}, 2 * 86_400_000)
    expect((await explained()).sentence).toBe('eu runs 1.0.0, the newest release of stable.')
    await world.publish('1.1.0', 2)
    expect((await explained()).sentence).toMatch(
      /No bundle with 1\.1\.0 was made for it\. 1\.0\.0, reported 2 days ago by export; a bundle for 1\.0\.0 was made just now/,
    )
  })

  it('a release that was aborted elsewhere goes into no order of its own, and is told as aborted', async () => {
    await world.create('eu', { model: 'airgapped' })
    const agent = await world.agent('eu')
    await agent.enrol()
    const reason = { code: 'aborted', message: 'Too many failed', since: 0 }
    await world.manager.db
      .updateTable('rollouts')
      .set({ state: JSON.stringify({ version: 1, phase: 'aborted', wave: 0, members: {}, decisions: [], reason }) })
      .execute()
    const ask = (force: boolean) =>
      world.ci.createBundleOrder({ params: world.of('eu'), body: { release: '1.0.0', force } })
    await expect(ask(false)).rejects.toMatchObject({ message: expect.stringContaining('was aborted') })
    expect((await row()).target).toBeNull()
    expect((await explained()).codes).toContain('ROLLOUT_ABORTED')
    expect((await ask(true)).order.target?.release).toBe(release)
  })
})
