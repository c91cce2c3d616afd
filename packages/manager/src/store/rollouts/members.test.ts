import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { fillOldData } from '../../testing/old-data.ts'
import { type OpenDatabase, openDatabase } from '../database.ts'
import { migrate, readMigrations } from '../migrate.ts'

let server: TestServer
let database: OpenDatabase

const target = `sha256:${'a'.repeat(64)}`
const members = {
  dep_1: {
    id: 'dep_1',
    wave: 1,
    status: 'in-flight',
    since: 1_760_000_000_123,
    from: 'own',
    target,
    told: true,
    again: true,
  },
  gone: {
    ...{ id: 'gone', wave: 0, status: 'excluded', since: 5, from: null, target },
    reason: { code: 'gone', message: 'The deployment no longer exists' },
  },
}

beforeAll(async () => {
  server = await startTestServer()
  database = openDatabase((await server.empty()).url)
  const known = await readMigrations()
  await migrate(
    database.pool,
    known.filter(({ version }) => version <= 9),
  )
  await fillOldData(database.pool)
  await database.pool.query(`update rollouts set state = jsonb_set(state, '{members}', $1)`, [JSON.stringify(members)])
  await migrate(database.pool, known)
}, 120_000)
afterAll(async () => {
  await database.close()
  await server.stop()
})

describe('members of a rollout', { timeout: 60_000 }, () => {
  it('are taken out of the state of before, each as it was', async () => {
    const rows = await database.db.selectFrom('rollout_members').selectAll().orderBy('deployment').execute()
    const common = { rollout: 'rol_1', target, config: null, basis: null, unsure: false }
    expect(rows).toEqual([
      {
        ...common,
        ...{ deployment: 'dep_1', wave: 1, status: 'in-flight', since: 1_760_000_000_123, origin: 'own' },
        ...{ reached: true, again: true, reason_code: null, reason_message: null },
      },
      {
        ...common,
        ...{ deployment: 'gone', wave: 0, status: 'excluded', since: 5, origin: null },
        ...{ reached: false, again: false, reason_code: 'gone', reason_message: 'The deployment no longer exists' },
      },
    ])
    const { state, phase } = await database.db
      .selectFrom('rollouts')
      .select(['state', 'phase'])
      .executeTakeFirstOrThrow()
    expect([state, phase]).toEqual([{ phase: 'progressing' }, 'progressing'])
  })

  it('go with their rollout', async () => {
    await database.pool.query('delete from rollouts')
    expect(await database.db.selectFrom('rollout_members').select('deployment').execute()).toEqual([])
  })
})
