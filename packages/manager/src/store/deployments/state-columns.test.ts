import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { fillOldData, oldTarget } from '../../testing/old-data.ts'
import { type OpenDatabase, openDatabase } from '../database.ts'
import { migrate, readMigrations } from '../migrate.ts'

let server: TestServer
let database: OpenDatabase

const before = { ...oldTarget, digest: `sha256:${'9'.repeat(64)}` }
const rejected = [{ target: before.digest, code: 'BAD', message: 'Worse', at: 5 }]
const reason = { code: 'RUNNING', message: 'Runs 1.0.0', since: 5 }
const state = { phase: 'running', generation: 7, stable: oldTarget, history: [before], reason, rejected }
const columns = {
  phase: 'running',
  actual_release: oldTarget.release,
  state_generation: 7,
  resting: oldTarget.digest,
  rested_before: before.digest,
  reason_code: 'RUNNING',
  reason_message: 'Runs 1.0.0',
  rejected,
}
const nothing = { ...Object.fromEntries(Object.keys(columns).map((name) => [name, null])), phase: 'pending' }
const names = Object.keys(columns) as (keyof typeof columns)[]
const read = (id: string) =>
  database.db.selectFrom('deployments').select(names).where('id', '=', id).executeTakeFirstOrThrow()
const write = (set: string) => database.pool.query(`update deployments set ${set} where id = 'dep_1'`)

beforeAll(async () => {
  server = await startTestServer()
  database = openDatabase((await server.empty()).url)
  const known = await readMigrations()
  const upTo = (last: number) =>
    migrate(
      database.pool,
      known.filter(({ version }) => version <= last),
    )
  await upTo(9)
  await fillOldData(database.pool)
  await upTo(17)
  await database.pool.query(`update deployments set state = $1 where id = 'dep_1'`, [JSON.stringify(state)])
  await migrate(database.pool, known)
}, 120_000)
afterAll(async () => {
  await database.close()
  await server.stop()
})

describe('what a fleet reads of a state', { timeout: 60_000 }, () => {
  it('is taken out of the states of before', async () => {
    expect(await read('dep_1')).toEqual(columns)
    expect(await read('dep_2')).toEqual(nothing)
  })

  it('follows the state wherever that is written', async () => {
    const next = { ...state, phase: 'failed', generation: 8, stable: null, history: [], rejected: [] }
    await database.pool.query(`update deployments set state = $1 where id = 'dep_1'`, [JSON.stringify(next)])
    const none = { actual_release: null, resting: null, rested_before: null, rejected: null }
    expect(await read('dep_1')).toEqual({ ...columns, phase: 'failed', state_generation: 8, ...none })
    await write('state = null')
    expect(await read('dep_1')).toEqual(nothing)
    await database.pool.query(`update deployments set state = $1 where id = 'dep_1'`, [JSON.stringify(state)])
    expect(await read('dep_1')).toEqual(columns)
  })

  it.each(names)('is the state and nothing else: %s', async (name) => {
    await write(`${name} = null`)
    expect(await read('dep_1')).toEqual(columns)
  })

  it('is there of a row that comes with its state, as out of a backup', async () => {
    const shared = 'project, channel, platform, model, environment, policy, created_at, created_by, config, state'
    await database.pool.query(`insert into deployments (id, name, prefix, phase, resting, ${shared})
      select 'copy', 'copy', 'copy', 'setting-up', 'another', ${shared} from deployments where id = 'dep_1'`)
    expect(await read('copy')).toEqual(columns)
  })
})
