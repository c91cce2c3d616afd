import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashToken, newSecret } from '../auth/token.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import { bootstrapLink } from '../serve/bootstrap-link.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { createTestManager, type TestManager, testUrl } from '../testing/manager.ts'
import { overtaken } from '../testing/overtaken.ts'
import type { Trx } from './database.ts'
import { lockDeployment } from './deployments/find-deployment.ts'

let server: TestServer
let manager: TestManager
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  manager = await createTestManager(server)
})

/** A link for the first account, as a manager makes it when it starts. */
async function makeLink(trx: Trx): Promise<string> {
  const { secret, hash } = newSecret()
  const at = manager.clock.now()
  const link = { hash, user_id: null, created_at: new Date(at), expires_at: new Date(at + 3_600_000) }
  await trx.insertInto('invitations').values(link).execute()
  return secret
}

// A password's hash is slow on purpose; on a machine with other work that adds up.
describe('at the same moment as another caller,', { timeout: 120_000 }, () => {
  it('who changes a deployment sees what the other one left', async () => {
    const { db } = manager
    await seedProject(db, 'shop')
    await seedDeployment(db, { id: 'd1', project: 'shop' })
    const seen = await overtaken(
      db,
      (trx) => trx.updateTable('deployments').set({ pinned: '1.0.0' }).execute(),
      () => db.transaction().execute((trx) => lockDeployment(trx, 'shop', 'd1')),
    )
    expect(seen.pinned).toBe('1.0.0')
  })

  it('who opens a link finds it used', async () => {
    const { db } = manager
    const token = await db.transaction().execute(makeLink)
    const body = { token, name: 'Eve', email: 'eve@example.com', password: 'correct horse battery staple' }
    const late = await overtaken(
      db,
      (trx) =>
        trx
          .updateTable('invitations')
          .set({ used_at: new Date(manager.clock.now()) })
          .execute(),
      () => manager.call('POST', '/api/auth/bootstrap', { body }),
    )
    expect(await late.json()).toMatchObject({ code: 'E_LINK_INVALID' })
    expect(await db.selectFrom('users').select('id').execute()).toEqual([])
  })

  it('who sends a call again with its key is told to wait, and changes nothing', async () => {
    const { db } = manager
    const { id, token } = await manager.person('ada')
    const body = { name: 'laptop' }
    const call = () => manager.call('POST', '/api/tokens', { token, body, headers: { 'idempotency-key': 'k' } })
    const late = await overtaken(
      db,
      (trx) => sql`select pg_advisory_xact_lock(hashtextextended(${`idempotency:${id}:k`}, 0))`.execute(trx),
      call,
    )
    expect(await late.json()).toMatchObject({ code: 'E_IDEMPOTENCY_RUNNING' })
    expect(await db.selectFrom('tokens').select('name').where('name', '=', 'laptop').execute()).toEqual([])
    expect((await call()).status).toBe(201)
  })

  it('who starts does start, and leaves one link that opens', async () => {
    const { db } = manager
    const late = overtaken(
      db,
      async (trx) => {
        await sql`select pg_advisory_xact_lock(hashtext('landfall bootstrap link'))`.execute(trx)
        await makeLink(trx)
      },
      () => bootstrapLink(db, testUrl, manager.clock.now()),
    )
    await expect(late).resolves.toContain(`${testUrl}/bootstrap?token=`)
    const hash = hashToken(new URL((await late) ?? '').searchParams.get('token') ?? '')
    expect(await db.selectFrom('invitations').select('hash').execute()).toEqual([{ hash }])
  })

  it('who starts while the first account is made has no link for another', async () => {
    const { db } = manager
    const at = new Date(manager.clock.now())
    const ada = { id: 'usr_1', email: 'ada@example.com', name: 'Ada', operator: true, password: null, created_at: at }
    await db.transaction().execute(makeLink)
    const late = await overtaken(
      db,
      async (trx) => {
        await trx.updateTable('invitations').set({ used_at: at }).execute()
        await trx.insertInto('users').values(ada).execute()
      },
      () => bootstrapLink(db, testUrl, manager.clock.now()),
    )
    expect(late).toBeNull()
    expect(await db.selectFrom('invitations').select('used_at').execute()).toEqual([{ used_at: at }])
  })
})
