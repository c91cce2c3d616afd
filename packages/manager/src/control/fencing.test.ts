import type { Target } from '@landfall/engine'
import { digestOf } from '@landfall/stack'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tellTarget } from '../store/targets/tell-target.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { overtaken } from '../testing/overtaken.ts'
import { createRollout } from './create-rollout.ts'
import { advanceRollout } from './fleet/advance-rollout.ts'
import { tellMany } from './fleet/tell-many.ts'
import { plan, testFleet } from './testing/fleet.ts'

let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  fleet = await testFleet(await server.database())
})

const atOnce = plan([{ name: 'all', share: 100, soak: '0s' }])
const row = (id: string) =>
  fleet.db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const look = () => advanceRollout(fleet.db, Date.now() + 60_000).catch((error: unknown) => `it failed: ${error}`)
const begin = (release: string) => ({ project: 'shop', release, plan: atOnce, by: 'test', at: Date.now() })
const target = (name: string): Target => {
  const pair = { release: digestOf(`release ${name}`), config: digestOf(`config ${name}`) }
  return { digest: digestOf(pair), ...pair }
}

describe('a rollout', () => {
  it('that one manager moves is left to it by every other', async () => {
    await fleet.deploy('a')
    const rollout = await fleet.rollOut(await fleet.release('1.0.0'), atOnce)
    const late = await overtaken(
      fleet.db,
      (trx) => sql`select from rollouts where id = ${rollout} for update`.execute(trx),
      look,
    )
    expect(late).toBeNull()
    expect((await row('a')).target).toBeNull()
  })

  it('waits for no deployment that somebody has in hand, and tells none that is pinned meanwhile', async () => {
    for (const id of ['a', 'b']) await fleet.deploy(id)
    const rollout = await fleet.rollOut(await fleet.release('1.0.0'), atOnce)
    const late = await overtaken(
      fleet.db,
      (trx) => trx.updateTable('deployments').set({ pinned: '0.9.0' }).where('id', '=', 'a').execute(),
      look,
    )
    expect(late).toBe(rollout)
    expect((await row('a')).target).toBeNull()
    expect((await row('b')).target).not.toBeNull()
  })

  it('tells nobody who was pinned, or is leaving, since it looked', async () => {
    for (const id of ['a', 'b', 'c']) await fleet.deploy(id)
    await fleet.db.updateTable('deployments').set({ pinned: '0.9.0' }).where('id', '=', 'a').execute()
    await fleet.db.updateTable('deployments').set({ operation: 'destroy' }).where('id', '=', 'b').execute()
    const id = await fleet.rollOut(await fleet.release('1.0.0'), atOnce)
    const orders = ['a', 'b', 'c'].map((deployment) => ({
      ...{ deployment, target: target('new'), message: 'told', retry: false },
    }))
    const told = await fleet.db
      .transaction()
      .execute((trx) => tellMany(trx, { id, project: 'shop' }, 'rollout', orders, Date.now()))
    expect(told).toEqual(['c'])
    expect([(await row('a')).target, (await row('b')).target]).toEqual([null, null])
  })

  it('of two that are begun at the same moment in a channel takes the place of the other', async () => {
    const first = await fleet.release('1.0.0')
    const second = await fleet.release('1.1.0')
    await overtaken(
      fleet.db,
      (trx) => createRollout(trx, begin(first)),
      () => fleet.db.transaction().execute((trx) => createRollout(trx, begin(second))),
    )
    const rows = await fleet.db.selectFrom('rollouts').select(['version', 'phase']).orderBy('version').execute()
    expect(rows.map(({ version, phase }) => `${version} ${phase === 'superseded'}`)).toEqual([
      '1.0.0 true',
      '1.1.0 false',
    ])
  })

  it('of a release that is being rolled out is the same one', async () => {
    const release = await fleet.release('1.0.0')
    expect(await fleet.rollOut(release)).toBe(await fleet.rollOut(release))
    expect(await fleet.db.selectFrom('rollouts').select('id').execute()).toHaveLength(1)
  })
})

it('a target that was told is not told again', async () => {
  await fleet.deploy('a')
  const order = { deployment: 'a', project: 'shop', cause: 'pin', actor: 'ada', message: 'told', at: Date.now() }
  const tell = (name: string) =>
    fleet.db.transaction().execute((trx) => tellTarget(trx, { ...order, target: target(name) }))
  expect([await tell('one'), await tell('one'), await tell('two')]).toEqual([true, false, true])
  expect(await fleet.db.selectFrom('targets').select('generation').execute()).toHaveLength(2)
})
