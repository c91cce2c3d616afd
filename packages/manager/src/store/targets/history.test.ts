import { afterAll, beforeAll, expect, it } from 'vitest'
import { seedDeployment, seedProject } from '../../control/testing/seed.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
}, 120_000)
afterAll(() => server.stop())

it('configs and targets go with their deployment, and no others do', { timeout: 60_000 }, async () => {
  const { db, pool } = await server.database()
  await seedProject(db, 'shop')
  for (const id of ['leaves', 'stays']) {
    await seedDeployment(db, { id, project: 'shop' })
    await pool.query(
      `insert into targets values ($1, 1, '{}', 'release', now(), 'ada'), ($1, 2, '{}', 'pin', now(), 'ada')`,
      [id],
    )
  }
  const left = async (table: 'configs' | 'targets') =>
    (await db.selectFrom(table).select('deployment').execute()).map(({ deployment }) => deployment)
  expect((await left('configs')).sort()).toEqual(['leaves', 'stays'])

  await db.deleteFrom('deployments').where('id', '=', 'leaves').execute()
  expect(await left('configs')).toEqual(['stays'])
  expect(await left('targets')).toEqual(['stays', 'stays'])
})
