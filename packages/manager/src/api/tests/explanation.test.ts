import type { DeploymentState } from '@landfall/engine'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'

let server: TestServer
let manager: TestManager
let vendor: Awaited<ReturnType<TestManager['project']>>
let project = ''
let ci: ReturnType<TestManager['client']>
let admin: ReturnType<TestManager['client']>
let count = 0

beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
afterAll(() => server.stop())
beforeEach(async () => {
  project = `acme${count++}`
  vendor = await manager.project(project)
  ci = manager.client(await manager.machine('ci', { project }))
  admin = manager.client((await manager.person(`admin${count}`, { project, role: 'admin' })).token)
  await complete(await publish('1.0.0', 1))
  await create()
})

const of = () => ({ params: { project, deployment: 'eu' } })
const row = () => findDeployment(manager.db, project, 'eu')
const create = () =>
  admin.createDeployment({
    params: { project },
    body: { name: 'eu', platform: 'local', secrets: { 'stripe-key': 'sk_live_hunter2' } },
  })
async function publish(version: string, sequence: number, change: { frozen?: string } = {}) {
  const release = await vendor.release({ version, sequence, ...change })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  const { release: made } = await ci.createRelease({ params: { project }, body: { envelope: release.envelope } })
  return made.digest
}
/** As the fleet controller leaves a rollout that came to its end. */
async function complete(release: string) {
  const reason = { code: 'complete', message: 'Everybody runs it', since: manager.clock.now() }
  await manager.db
    .updateTable('rollouts')
    .set({ state: JSON.stringify({ version: 1, phase: 'complete', wave: 0, members: {}, decisions: [], reason }) })
    .where('project', '=', project)
    .where('release', '=', release)
    .execute()
}
/** As the engine leaves a deployment: on its target, unless told otherwise. */
async function engine(change: Partial<DeploymentState> = {}) {
  const { id, target, requested_generation } = await row()
  const state: DeploymentState = {
    version: 1,
    phase: 'running',
    reason: { code: 'RUNNING', message: 'Runs 1.0.0', since: manager.clock.now() },
    generation: requested_generation,
    stable: target,
    candidate: null,
    rejected: [],
    sequence: 1,
    resources: {},
    workers: {},
    conditions: [],
    seenControls: [],
    ...change,
  }
  await manager.db
    .updateTable('deployments')
    .set({ state: JSON.stringify(state), observed_generation: requested_generation })
    .where('id', '=', id)
    .execute()
}
const explained = async () => {
  const { sentence, next } = await admin.explainDeployment(of())
  return { sentence, next }
}
const nothing = 'Nothing: it is where it should be.'

describe('an explanation says why in words, and names the command to type', () => {
  it('where all is well, also while new starts are frozen', async () => {
    await engine()
    await admin.createFreeze({ params: { project }, body: { reason: 'Black Friday' } })
    expect(await explained()).toEqual({ sentence: 'eu runs 1.0.0, the newest release of stable.', next: nothing })
  })

  it('pinned', async () => {
    await engine()
    await admin.updateDeployment({ ...of(), body: { pin: '1.0.0' } })
    await engine()
    await complete(await publish('1.1.0', 2))
    expect(await explained()).toEqual({
      sentence: 'eu runs 1.0.0. It is pinned to 1.0.0: the newest release of stable, 1.1.0, does not reach it.',
      next: 'Let it follow its channel again: `landfall deployments pin eu --release none`.',
    })
  })

  it('in a frozen project', async () => {
    await engine()
    const freeze = await admin.createFreeze({ params: { project }, body: { reason: 'Black Friday' } })
    await publish('1.1.0', 2)
    expect(await explained()).toEqual({
      sentence: 'eu runs 1.0.0. 1.1.0 is held until somebody lifts the freeze: Black Friday.',
      next: `Wait, or lift the freeze: \`landfall freezes lift ${freeze.id}\`.`,
    })
  })

  it('with access revoked, also when it runs the newest', async () => {
    const at = manager.clock.now()
    await engine({
      phase: 'access-revoked',
      reason: { code: 'ACCESS_REVOKED', message: 'Refused', since: at },
      parked: { since: at, probeAt: at + 60_000 },
    })
    const { sentence, next } = await explained()
    expect(sentence).toBe(
      "eu can't be reached: its environment refuses access (for 0 s). It goes on by itself when access is given back.",
    )
    expect(next).toContain('Have the customer give access back')
    expect(next).toContain(`tried again at ${new Date(at + 60_000).toISOString().slice(0, 19)}Z`)
    expect(next).toContain('`landfall deployments explain eu`')
  })

  it('waiting for a setup by a person, also in a frozen project', async () => {
    await engine()
    const { target: before } = await row()
    await publish('2.0.0', 2, { frozen: 'jobs' })
    await admin.updateDeployment({ ...of(), body: { pin: '2.0.0' } })
    const reason = {
      code: 'NEEDS_SETUP',
      message: 'Release 2.0.0 needs a setup update: queue "jobs" is new',
      since: manager.clock.now(),
    }
    await engine({ phase: 'needs-setup', stable: before, reason })
    await admin.createFreeze({ params: { project }, body: { reason: 'Black Friday' } })
    expect(await explained()).toEqual({
      sentence:
        'eu waits for the customer to apply a setup (for 0 s): Release 2.0.0 needs a setup update: queue "jobs" is new.',
      next: 'Review what changes (`landfall deployments show eu`), then apply it: `landfall deployments setup eu --release 2.0.0`.',
    })
  })

  it('after what it was told went back, which its page names by version', async () => {
    await engine()
    const { target: before } = await row()
    await complete(await publish('1.1.0', 2))
    await admin.updateDeployment({ ...of(), body: { pin: '1.1.0' } })
    const target = (await row()).target?.digest ?? ''
    const reason = { code: 'analysis-failed', message: 'Errors 3.1% against 0.2%', since: manager.clock.now() }
    await engine({ stable: before, reason, rejected: [{ target, code: reason.code, message: reason.message, at: 0 }] })
    expect((await explained()).next).toContain('`landfall deployments retry eu`')
    expect((await admin.getDeployment(of())).rejected).toMatchObject([{ version: '1.1.0', code: 'analysis-failed' }])
    // Told something else since, it still knows what that digest was.
    await admin.updateDeployment({ ...of(), body: { pin: '1.0.0' } })
    expect((await admin.getDeployment(of())).rejected).toMatchObject([{ version: '1.1.0' }])
  })

  it('that never ran anything: it is behind nothing', async () => {
    await complete(await publish('1.1.0', 2))
    const shown = await admin.getDeployment(of())
    expect(shown).toMatchObject({ actual: null, newest: '1.1.0', versionsBehind: 0 })
  })
})
