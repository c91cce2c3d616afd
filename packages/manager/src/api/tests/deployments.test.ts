import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { storeVerifier } from '../../store/releases/verifier.ts'
import { createConfigSource } from '../../store/targets/config-source.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'
import { defaultPlan } from '../default-plan.ts'

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
beforeEach(async () => {
  project = `acme${count++}`
  vendor = await manager.project(project)
  ci = manager.client(await manager.machine('ci', { project }))
  admin = manager.client((await manager.person(`admin${count}`, { project, role: 'admin' })).token)
})
afterAll(() => server.stop())

const params = () => ({ project })
const of = (deployment: string) => ({ project, deployment })
const row = (name: string) => findDeployment(manager.db, project, name)
async function publish(version: string, sequence: number, change: Partial<Parameters<typeof vendor.release>[0]> = {}) {
  const release = await vendor.release({ version, sequence, ...change })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  return (await ci.createRelease({ params: params(), body: { envelope: release.envelope } })).release.digest
}
/** As the fleet controller leaves a rollout that came to its end. */
async function complete(release: string) {
  const reason = { code: 'COMPLETE', message: 'Everybody runs it', since: manager.clock.now() }
  await manager.db
    .updateTable('rollouts')
    .set({
      state: JSON.stringify({ version: 1, phase: 'complete', wave: 0, members: {}, decisions: [], reason }),
      finished_at: new Date(),
    })
    .where('project', '=', project)
    .where('release', '=', release)
    .execute()
}
/** As the engine leaves a deployment that reached its target. */
async function reach(name: string) {
  const { id, target, state, requested_generation } = await row(name)
  const history = state?.stable ? [state.stable, ...(state.history ?? [])] : []
  const next = {
    version: 1,
    phase: 'running',
    reason: { code: 'ON_TARGET', message: 'Runs what it is wanted to run', since: manager.clock.now() },
    generation: requested_generation,
    stable: target,
    candidate: null,
    rejected: [],
    sequence: 0,
    resources: {},
    workers: {},
    conditions: [],
    seenControls: [],
    history,
  }
  await manager.db
    .updateTable('deployments')
    .set({ state: JSON.stringify(next), observed_generation: requested_generation })
    .where('id', '=', id)
    .execute()
}
async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (LandfallError.is(error) ? error.code : String(error)),
  )
}
const secrets = { 'stripe-key': 'sk_live_hunter2' }
const create = (name: string, more: object = {}) =>
  admin.createDeployment({ params: params(), body: { name, platform: 'local', secrets, ...more } })

describe('a deployment', () => {
  it('waits for its first release, and says so', async () => {
    const made = await create('eu', { group: 'ring-0' })
    expect(made).toMatchObject({
      name: 'eu',
      group: 'ring-0',
      phase: 'pending',
      target: null,
      reason: { code: 'NO_RELEASE' },
    })
    const explained = await admin.explainDeployment({ params: of('eu') })
    expect(explained.sentence).toContain('no release yet')
    // Seed 70222 of the simulation: it was kept, and paused the first release that came.
    const steered = admin.controlDeployment({ params: of('eu'), body: { kind: 'pause', reason: 'look' } })
    expect(await code(steered)).toBe('E_CONFLICT')
    expect(await code(create('eu'))).toBe('E_EXISTS')
    expect(await code(create('us', { channel: 'nightly' }))).toBe('E_NOT_FOUND')
    // A name that is another's id would be a way into it.
    expect(await code(create(made.id))).toBe('E_INVALID_REQUEST')
  })

  it('is told the newest release that was rolled out, not one on its way', async () => {
    await complete(await publish('1.0.0', 1))
    await publish('1.1.0', 2)
    const made = await create('eu')
    expect(made.target?.version).toBe('1.0.0')
    expect(made.newest).toBe('1.1.0')
    const { target, setup_release, requested_generation } = await row('eu')
    expect(target?.digest).toMatch(/^sha256:/)
    expect(setup_release).not.toBeNull()
    expect(requested_generation).toBe(2)
  })

  it('is not behind a release whose rollout was aborted', async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    await reach('eu')
    await publish('1.1.0', 2)
    const behind = async () => {
      const { newest, versionsBehind } = await admin.getDeployment({ params: of('eu') })
      return { newest, versionsBehind }
    }
    expect(await behind()).toEqual({ newest: '1.1.0', versionsBehind: 1 })
    await manager.db
      .updateTable('rollouts')
      .set({ state: sql`jsonb_set(state, '{phase}', '"aborted"')` })
      .where('project', '=', project)
      .where('version', '=', '1.1.0')
      .execute()
    expect(await behind()).toEqual({ newest: '1.0.0', versionsBehind: 0 })
    expect((await admin.explainDeployment({ params: of('eu') })).newest).toBe('1.1.0')
  })

  it('waits where a secret is missing, and goes when it is set', async () => {
    await complete(await publish('1.0.0', 1))
    const made = await create('eu', { secrets: {} })
    expect(made.target).toBeNull()
    const explained = await admin.explainDeployment({ params: of('eu') })
    expect(explained.checks.find((check) => check.name === 'config')).toMatchObject({
      status: 'blocked',
      code: 'E_SECRET_MISSING',
    })
    expect(explained.sentence).toContain('stripe-key')
    await admin.putConfig({ params: of('eu'), body: { secrets } })
    expect((await row('eu')).target).not.toBeNull()
  })

  it('refuses inputs and secrets that the release does not know, and another platform', async () => {
    await publish('1.0.0', 1)
    expect(await code(create('a', { inputs: { colour: 'red' } }))).toBe('E_INPUT_INVALID')
    expect(await code(create('a', { inputs: { seats: 0 } }))).toBe('E_INPUT_INVALID')
    expect(await code(create('a', { secrets: { other: 'x' } }))).toBe('E_SECRET_UNKNOWN')
    expect(await code(create('a', { platform: 'aws' }))).toBe('E_PLATFORM_UNSUPPORTED')
    expect((await admin.listDeployments({ params: params() })).items).toEqual([])
  })
})

describe('config', () => {
  it('makes a new target for each change, and the same target for the same content', async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    const first = (await row('eu')).target?.digest
    await admin.putConfig({ params: of('eu'), body: { inputs: { region: 'us' } } })
    const second = (await row('eu')).target?.digest
    expect(second).not.toBe(first)
    await admin.putConfig({ params: of('eu'), body: { inputs: { region: 'us' } } })
    expect((await row('eu')).target?.digest).toBe(second)
    await admin.putConfig({ params: of('eu'), body: { inputs: { region: null } } })
    expect((await row('eu')).target?.digest).toBe(first)
    const history = await manager.db
      .selectFrom('targets')
      .select('cause')
      .where('deployment', '=', (await row('eu')).id)
      .execute()
    expect(history.map((entry) => entry.cause)).toEqual(['channel', 'config', 'config'])
  })

  it('shows who set what, and never a secret', async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    const config = await admin.putConfig({ params: of('eu'), body: { inputs: { seats: 9 } } })
    expect(config.inputs).toMatchObject([
      { name: 'region', value: 'eu', default: true, providedBy: 'customer', setBy: null },
      { name: 'seats', value: 9, default: false, providedBy: 'vendor', setBy: `admin${count}@example.com` },
    ])
    expect(config.secrets).toMatchObject([{ name: 'stripe-key', version: 1, providedBy: 'customer' }])
    await admin.putConfig({ params: of('eu'), body: { secrets: { 'stripe-key': 'sk_live_hunter2' } } })
    const rotated = await admin.putConfig({ params: of('eu'), body: { secrets: { 'stripe-key': 'sk_live_hunter3' } } })
    expect(rotated.secrets[0]?.version).toBe(2)
  })

  it('keeps secrets sealed: in no table, no audit entry, no log', async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    const { rows } = await manager.pool.query<{ table_name: string }>(
      `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    )
    for (const { table_name } of rows) {
      const found = await manager.pool.query(
        `select count(*) as n from ${table_name} t where t::text like '%sk_live_%'`,
      )
      expect(found.rows[0].n, table_name).toBe(0)
      const hex = Buffer.from('sk_live_').toString('hex')
      const plain = await manager.pool.query(`select count(*) as n from ${table_name} t where t::text like '%${hex}%'`)
      expect(plain.rows[0].n, table_name).toBe(0)
    }
    expect(JSON.stringify([manager.accessLog, manager.warnings])).not.toContain('sk_live_')
  })

  it('is opened for the engine, the version of its target, and not after a row was tampered with', async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    const before = await row('eu')
    await admin.putConfig({ params: of('eu'), body: { secrets: { 'stripe-key': 'sk_live_hunter3' } } })
    const after = await row('eu')
    const source = createConfigSource(manager.db, manager.services.keyring)
    const load = async (config: string) => source.load(config, { ...after, environment: {} })
    const old = await load(before.target?.config ?? '')
    expect(old.inputs).toEqual({ region: 'eu', seats: 5 })
    expect(await old.openSecret('stripe-key')).toBe('sk_live_hunter2')
    const fresh = await load(after.target?.config ?? '')
    expect(await fresh.openSecret('stripe-key')).toBe('sk_live_hunter3')
    // Somebody with the database, but not the key, puts the first version in the place of the second.
    await manager.pool.query(
      `update secrets s set sealed = (select sealed from secrets where deployment = s.deployment and version = 1)
       where deployment = $1 and version = 2`,
      [after.id],
    )
    await expect(fresh.openSecret('stripe-key')).rejects.toMatchObject({ code: 'E_SEAL_BROKEN' })
    await manager.pool.query(
      `update configs set document = jsonb_set(document, '{inputs,seats}', '99') where deployment = $1`,
      [after.id],
    )
    await expect(load(after.target?.config ?? '')).rejects.toMatchObject({ code: 'E_CONFIG_UNKNOWN' })
  })

  it('of a customer’s link sets what the customer provides, and nothing else', async () => {
    await complete(await publish('1.0.0', 1))
    const { id } = await create('eu')
    const customer = manager.client(await manager.machine('deployer', { project, deployment: id }))
    expect(await code(customer.putConfig({ params: of('eu'), body: { inputs: { region: 'us' }, secrets } }))).toBe(
      'none',
    )
    expect(await code(customer.putConfig({ params: of('eu'), body: { inputs: { seats: 99 } } }))).toBe('E_FORBIDDEN')
    expect((await admin.getConfig({ params: of('eu') })).inputs[1]?.value).toBe(5)
  })
})

describe('pins, rollbacks, setup', () => {
  beforeEach(async () => {
    await complete(await publish('1.0.0', 1))
    await create('eu')
    await reach('eu')
  })

  it('moved to a channel where only something older came to its end, it stays until what is newer reaches it', async () => {
    await manager.db
      .insertInto('channels')
      .values({ project, name: 'beta', plan: JSON.stringify(defaultPlan), created_at: new Date() })
      .execute()
    const newer = await publish('2.0.0', 2, { channel: 'beta' })
    await complete(newer)
    await create('far', { channel: 'beta' })
    expect((await row('far')).target?.release).toBe(newer)
    const newest = await publish('3.0.0', 3)
    const moved = await admin.updateDeployment({ params: of('far'), body: { channel: 'stable' } })
    expect(moved.target?.version).toBe('2.0.0')
    await complete(newest)
    await admin.updateDeployment({ params: of('far'), body: { pin: null } })
    expect((await row('far')).target?.release).toBe(newest)
  })

  it('pinned, it stays; unpinned, it moves on', async () => {
    await complete(await publish('1.1.0', 2))
    await admin.updateDeployment({ params: of('eu'), body: { pin: '1.0.0' } })
    expect(await admin.getDeployment({ params: of('eu') })).toMatchObject({
      pinned: '1.0.0',
      newest: '1.0.0',
      versionsBehind: 0,
    })
    const explained = await admin.explainDeployment({ params: of('eu') })
    expect(explained).toMatchObject({ newest: '1.1.0', actual: '1.0.0' })
    expect(explained.sentence).toContain('pinned to 1.0.0')
    const moved = await admin.updateDeployment({ params: of('eu'), body: { pin: null } })
    expect(moved).toMatchObject({ pinned: null, target: { version: '1.1.0' } })
  })

  it('goes back whole to what it ran before: release and config', async () => {
    const first = (await row('eu')).target
    await complete(await publish('1.1.0', 2))
    await admin.updateDeployment({ params: of('eu'), body: { pin: '1.1.0' } })
    await admin.putConfig({ params: of('eu'), body: { inputs: { region: 'us' } } })
    await reach('eu')
    const back = await admin.rollbackDeployment({ params: of('eu'), body: { reason: 'slow' } })
    expect(back).toMatchObject({ pinned: '1.0.0', target: first })
    expect(await code(admin.rollbackDeployment({ params: of('eu'), body: { to: '9.9.9' } }))).toBe('E_NOT_FOUND')
    await publish('1.2.0', 3)
    expect(await code(admin.rollbackDeployment({ params: of('eu'), body: { to: '1.2.0' } }))).toBe('E_NOTHING_BEFORE')
  })

  it('has nothing to go back to after its first release', async () => {
    expect(await code(admin.rollbackDeployment({ params: of('eu'), body: {} }))).toBe('E_NOTHING_BEFORE')
  })

  it('shows what a frozen change needs, and takes the setup when it is applied', async () => {
    await publish('2.0.0', 2, { frozen: 'jobs' })
    await admin.updateDeployment({ params: of('eu'), body: { pin: '2.0.0' } })
    const before = await admin.getDeployment({ params: of('eu') })
    expect(before.setupDifference.join()).toContain('jobs')
    await admin.setupDeployment({ params: of('eu'), body: { release: '2.0.0' } })
    expect((await admin.getDeployment({ params: of('eu') })).setupDifference).toEqual([])
  })

  it('is asked for at most once per change: generations only grow', async () => {
    const start = (await row('eu')).requested_generation
    await admin.controlDeployment({ params: of('eu'), body: { kind: 'pause', reason: 'look' } })
    expect((await row('eu')).requested_generation).toBe(start + 1)
    await admin.destroyDeployment({ params: of('eu') })
    await admin.destroyDeployment({ params: of('eu') })
    expect((await row('eu')).requested_generation).toBe(start + 2)
    expect((await row('eu')).operation).toBe('destroy')
  })

  it('writes an audit entry for everything that was done', async () => {
    await admin.updateDeployment({ params: of('eu'), body: { group: 'ring-1', policy: { drift: 'report' } } })
    await admin.controlDeployment({ params: of('eu'), body: { kind: 'retry' } })
    const { id } = await row('eu')
    const entries = await manager.db
      .selectFrom('audit_entries')
      .select(['type', 'actor'])
      .where('chain', '=', id)
      .orderBy('number')
      .execute()
    expect(entries.map((entry) => entry.type)).toEqual([
      'deployment.created',
      'deployment.told',
      'deployment.changed',
      'control.retry',
    ])
    expect(new Set(entries.map((entry) => entry.actor))).toEqual(new Set([`admin${count}@example.com`]))
  })

  it('is verified for the engine from the envelope, not from the row', async () => {
    const { id, target } = await row('eu')
    const verifier = storeVerifier(manager.db, manager.clock)
    const ref = { id, name: 'eu', project, prefix: 'x', platform: 'local', model: 'push', environment: {} } as const
    const release = target?.release ?? ''
    expect(await verifier.load(release, ['vendor'], ref)).toMatchObject({ version: '1.0.0', sequence: 1 })
    await expect(verifier.load(release, ['agent'], ref)).rejects.toMatchObject({ code: 'E_KEY_KIND_UNTRUSTED' })
    await manager.pool.query(
      `update releases set envelope = jsonb_set(envelope, '{payload}', to_jsonb(translate(envelope ->> 'payload', 'A', 'B')))
       where project = $1`,
      [project],
    )
    const refused = await verifier.load(release, ['vendor'], ref).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: expect.stringMatching(/^E_(SIGNATURE_INVALID|RELEASE_DIGEST)$/) })
  })
})

describe('the fleet', () => {
  it('is one sentence and a matrix of groups by versions', async () => {
    const old = await publish('1.0.0', 1)
    await complete(old)
    await create('a', { group: 'ring-0' })
    await create('b', { group: 'ring-1' })
    await reach('a')
    await reach('b')
    await complete(await publish('1.1.0', 2))
    await create('c', { group: 'ring-1' })
    await reach('c')
    const fleet = await admin.fleet({ params: params() })
    expect(fleet.sentence).toBe('All 3 deployments are healthy, 1 on the newest release allowed.')
    expect(fleet.versions).toEqual(['1.1.0', '1.0.0'])
    expect(fleet.groups).toEqual([
      { group: 'ring-0', counts: { '1.0.0': 1 } },
      { group: 'ring-1', counts: { '1.0.0': 1, '1.1.0': 1 } },
    ])
    const list = async (query: object) =>
      (await admin.listDeployments({ params: params(), query })).items.map((one) => one.name)
    expect(await list({ group: 'ring-1' })).toEqual(['b', 'c'])
    expect(await list({ version: '1.0.0' })).toEqual(['a', 'b'])
    expect(await list({ health: 'healthy' })).toEqual(['a', 'b', 'c'])
    expect(await list({ health: 'failed' })).toEqual([])
    expect(await list({ model: 'push' })).toEqual(['a', 'b', 'c'])
    expect(await list({ model: 'pull' })).toEqual([])
    expect(await list({ text: '%' })).toEqual([])
    expect(await list({ text: 'RING-0' })).toEqual(['a'])
    expect(await list({ limit: 2 })).toEqual(['a', 'b'])
    expect(await list({ limit: 2, after: 'b' })).toEqual(['c'])
    const detail = await ci.getRelease({ params: { project, release: '1.0.0' } })
    expect(detail.deployments.map((one) => `${one.name} ${one.state}`)).toEqual(['a running', 'b running'])
    expect(detail.running).toBe(2)
  })

  it('keeps a group and a channel that somebody is in', async () => {
    await create('a', { group: 'ring-0' })
    expect(await code(admin.deleteGroup({ params: { project, group: 'ring-0' } }))).toBe('E_CONFLICT')
    expect(await code(admin.deleteChannel({ params: { project, channel: 'stable' } }))).toBe('E_CONFLICT')
    expect(await code(admin.deleteProject({ params: params() }))).toBe('E_CONFLICT')
    await admin.updateDeployment({ params: of('a'), body: { group: null } })
    expect(await code(admin.deleteGroup({ params: { project, group: 'ring-0' } }))).toBe('none')
    await manager.db.updateTable('deployments').set({ deleted_at: new Date() }).where('project', '=', project).execute()
    expect(await code(admin.deleteProject({ params: params() }))).toBe('none')
    expect(await code(admin.getProject({ params: params() }))).toBe('E_NOT_FOUND')
  })
})
