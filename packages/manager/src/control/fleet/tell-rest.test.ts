import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { plan, testFleet } from '../testing/fleet.ts'
import { advanceRollout } from './advance-rollout.ts'

let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>
let rollout = ''
let now = 0
const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

beforeAll(async () => {
  server = await startTestServer()
}, 120_000)
afterAll(() => server.stop())
beforeEach(async () => {
  fleet = await testFleet(await server.database())
  for (const id of ids) await fleet.deploy(id)
  rollout = await fleet.rollOut(await fleet.release('1.0.0'), plan([{ name: 'all', share: 100, soak: '0s' }]))
  now = Date.now() + 1_000
}, 120_000)

const told = async () =>
  (await fleet.db.selectFrom('deployments').select('id').where('target', 'is not', null).orderBy('id').execute()).map(
    ({ id }) => id,
  )
const inFlight = () =>
  fleet.db.selectFrom('rollout_members').select('deployment').where('status', '=', 'in-flight').execute()
/** Looks until nothing is due, two deployments in a transaction. */
async function look() {
  for (let looks = 0; looks < 20 && (await advanceRollout(fleet.db, now, { toldAtOnce: 2 })) !== null; looks += 1);
}
const untilSettled = async () => {
  for (let second = 0; second < 30; second += 5) {
    now += 5_000
    await look()
  }
}

describe('a fleet that is told in several transactions', { timeout: 120_000 }, () => {
  it('is told whole, each once, with config, history, audit and change, and is then due as the look wanted', async () => {
    await look()
    expect(await told()).toEqual(ids)
    const count = async (query: string) => (await sql.raw(query).execute(fleet.db)).rows
    expect(await count('select deployment, generation from targets order by 1')).toEqual(
      ids.map((deployment) => ({ deployment, generation: 2 })),
    )
    expect(await count("select deployment from audit_entries where type = 'deployment.told' order by 1")).toEqual(
      ids.map((deployment) => ({ deployment })),
    )
    expect(await count("select id from changes where kind = 'deployment' order by 1")).toEqual(
      ids.map((id) => ({ id })),
    )
    expect(
      await count(
        `select d.id from deployments d join configs c on c.deployment = d.id and c.digest = d.config order by 1`,
      ),
    ).toEqual(ids.map((id) => ({ id })))
    const row = await fleet.db
      .selectFrom('rollouts')
      .select('wake_at')
      .where('id', '=', rollout)
      .executeTakeFirstOrThrow()
    expect(row.wake_at?.getTime()).toBeLessThanOrEqual(now + 5_000)
  })

  it('is told by the next look what a manager that died between two of them has left', async () => {
    const died = advanceRollout(fleet.db, now, {
      toldAtOnce: 2,
      onTold: () => {
        throw new Error('killed')
      },
    })
    await expect(died).rejects.toThrow('killed')
    expect(await told()).toHaveLength(2)
    expect(await inFlight()).toHaveLength(ids.length)
    await untilSettled()
    expect(await told()).toEqual(ids)
    expect(await fleet.db.selectFrom('targets').select('generation').execute()).toHaveLength(ids.length)
  })

  it.each([
    [
      'says pause',
      `insert into rollout_controls values (told, 'ctl_1', 'pause', 'ada', null, now()) on conflict do nothing`,
    ],
    [
      'freezes the project',
      `insert into freezes values ('frz_1', 'shop', 'x', null, now(), 'ada') on conflict do nothing`,
    ],
    ['takes its place', `update rollouts set state = jsonb_set(state, '{phase}', '"superseded"')`],
    ['looks', `update rollouts set state = jsonb_set(state, '{core,lookedAt}', '1')`],
  ])('tells nobody more once somebody %s', async (_, meanwhile) => {
    await whenFirstTold(meanwhile)
    await advanceRollout(fleet.db, now, { toldAtOnce: 2 })
    expect(await told()).toHaveLength(2)
  })

  it('leaves alone whom somebody has asked something since they were read', async () => {
    await whenFirstTold(`update deployments set requested_generation = 9 where id = 'g' and requested_generation < 9`)
    await advanceRollout(fleet.db, now, { toldAtOnce: 2 })
    expect(await told()).toEqual(ids.slice(0, -1))
    await untilSettled()
    expect(await told()).toEqual(ids)
  })
})

/** Has the database do something in the very transaction that tells the first. */
async function whenFirstTold(statement: string) {
  await sql
    .raw(`create function meanwhile() returns trigger language plpgsql as $$
      declare told text := '${rollout}';
      begin ${statement}; return null; end $$`)
    .execute(fleet.db)
  await sql`create trigger meanwhile after insert on targets for each statement execute function meanwhile()`.execute(
    fleet.db,
  )
}
