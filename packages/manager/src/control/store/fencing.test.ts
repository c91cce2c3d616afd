import { initialState, type Lease, type StateStore } from '@landfall/engine'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../store/database.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { overtaken } from '../../testing/overtaken.ts'
import { seedDeployment, seedProject } from '../testing/seed.ts'
import { createStateStore } from './state-store.ts'

let server: TestServer
let db: Database
let now = 0
const ttl = 10_000
const clock = { now: () => now, sleep: async () => {} }
const storeOn = (on: Database) => createStateStore({ db: on, clock, models: ['push'], platforms: ['local'] })
let store: StateStore

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  now = Date.UTC(2026, 10, 21)
  db = (await server.database()).db
  store = storeOn(db)
  await seedProject(db, 'shop')
  await seedDeployment(db, { id: 'd1', project: 'shop', requested_generation: 3 })
})

const row = () => db.selectFrom('deployments').selectAll().where('id', '=', 'd1').executeTakeFirstOrThrow()
async function claimed(owner: string): Promise<Lease> {
  const found = await store.claim(owner, ttl)
  return found?.lease ?? expect.fail(`nothing was due for ${owner}`)
}
/** All that a holder may do, each refused without a trace. */
async function isRefusedAll(lease: Lease): Promise<void> {
  const before = await row()
  const event = { at: now, type: 'test.late', message: 'late' }
  const calls = {
    renew: () => store.renew(lease, ttl),
    desired: () => store.desired(lease),
    persist: () => store.persist(lease, initialState(now), [event]),
    release: () => store.release(lease, { observed: 3, wakeAt: null }),
  }
  for (const [name, call] of Object.entries(calls)) {
    const answer = await call().then(
      () => 'accepted',
      (error: { code?: string }) => error.code,
    )
    expect(answer, name).toBe('E_STALE_EPOCH')
    expect(await row(), name).toEqual(before)
  }
  expect(await db.selectFrom('audit_entries').selectAll().execute()).toEqual([])
}

describe('a lease', () => {
  it('that has passed on is nobody’s, also where the same manager has claimed again', async () => {
    const first = await claimed('m1')
    now += ttl
    const second = await claimed('m1')
    expect(second.epoch).toBe(first.epoch + 1)
    await isRefusedAll(first)
    expect((await row()).lease_epoch).toBe(second.epoch)
  })

  it('that was given up is nobody’s', async () => {
    const lease = await claimed('m1')
    await store.release(lease, { observed: 2, wakeAt: now })
    await isRefusedAll(lease)
  })

  it('is given once where two claim at the same moment', async () => {
    const late = await overtaken(
      db,
      (trx) => storeOn(trx).claim('m1', ttl),
      () => store.claim('m2', ttl),
    )
    expect(late).toBeNull()
    expect((await row()).lease_owner).toBe('m1')
  })

  it('that passes on while its holder writes lets nothing be written', async () => {
    const lease = await claimed('m1')
    now += ttl
    const late = overtaken(
      db,
      (trx) => storeOn(trx).claim('m2', ttl),
      () => store.persist(lease, initialState(now), []),
    )
    await expect(late).rejects.toMatchObject({ code: 'E_STALE_EPOCH' })
    expect((await row()).state).toBeNull()
  })

  it('takes back no generation that was acted on', async () => {
    const lease = await claimed('m1')
    await db.updateTable('deployments').set({ observed_generation: 3 }).execute()
    await store.release(lease, { observed: 2, wakeAt: null })
    expect((await row()).observed_generation).toBe(3)
  })
})

it('what was asked first is claimed first, whoever raised its generation', async () => {
  await seedDeployment(db, { id: 'd2', project: 'shop' })
  await db.updateTable('deployments').set({ observed_generation: 3, requested_generation: 3 }).execute()
  for (const id of ['d2', 'd1']) {
    await db.updateTable('deployments').set({ requested_generation: 4 }).where('id', '=', id).execute()
  }
  expect((await claimed('m1')).deployment).toBe('d2')
})
