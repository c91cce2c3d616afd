import type { Desired } from '@landfall/engine'
import { storeConformance } from '@landfall/engine/testing/conformance'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OpenDatabase } from '../../store/database.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { seedDeployment, seedProject } from '../testing/seed.ts'
import { createStateStore } from './state-store.ts'

let server: TestServer
let database: OpenDatabase
beforeAll(async () => {
  server = await startTestServer()
  database = await server.database()
})
afterAll(() => server.stop())

let run = 0
const start = Date.UTC(2026, 10, 21)

/** Every run has a project of its own, in one database: a store that looks only at its own model keeps them apart. */
async function harness() {
  const mine = `p${++run}`
  let now = start
  const { db } = database
  const clock = { now: () => now, sleep: async () => {} }
  await db.updateTable('deployments').set({ deleted_at: new Date() }).execute()
  await seedProject(db, mine)
  const idOf = (id: string) => `${mine}-${id}`
  const base = createStateStore({ db, clock, models: ['push'], platforms: ['local'] })
  const plain = (id: string) => id.slice(mine.length + 1)
  return {
    now: () => now,
    advance: (ms: number) => {
      now += ms
    },
    store: {
      ...base,
      // The suite knows its deployments by short names.
      claim: async (owner: string, ttl: number, id?: string) => {
        const claimed = await base.claim(owner, ttl, id === undefined ? undefined : idOf(id))
        if (!claimed) return null
        const { lease, desired, state } = claimed
        const short = plain(lease.deployment)
        const deployment = { ...desired.deployment, id: short, name: short, prefix: short, project: 'shop' }
        return { lease: { ...lease, deployment: short }, desired: { ...desired, deployment }, state }
      },
      renew: async (lease, ttl) => base.renew({ ...lease, deployment: idOf(lease.deployment) }, ttl),
      desired: (lease) => base.desired({ ...lease, deployment: idOf(lease.deployment) }),
      persist: (lease, state, events) => base.persist({ ...lease, deployment: idOf(lease.deployment) }, state, events),
      release: (lease, outcome) => base.release({ ...lease, deployment: idOf(lease.deployment) }, outcome),
    } satisfies typeof base,
    put: async (desired: Desired) => {
      const id = idOf(desired.deployment.id)
      const set = { requested_generation: desired.generation, target: JSON.stringify(desired.target) }
      const updated = await db.updateTable('deployments').set(set).where('id', '=', id).executeTakeFirst()
      if (updated.numUpdatedRows > 0n) return
      const customer = JSON.stringify({ approvals: 'portal', telemetry: 'on', ...desired.customer })
      await seedDeployment(db, { id, project: mine, policy: desired.policy, customer, environment: { n: 1 }, ...set })
      if (desired.answers.length === 0) return
      await db
        .insertInto('answers')
        .values(
          desired.answers.map((answer, at) => ({
            ...answer,
            deployment: id,
            id: `ans_${at}`,
            at: new Date(answer.at),
          })),
        )
        .execute()
    },
    state: async (id: string) =>
      (await db.selectFrom('deployments').select('state').where('id', '=', idOf(id)).executeTakeFirst())?.state ?? null,
    events: async (id: string) => {
      const rows = await db
        .selectFrom('audit_entries')
        .select('message')
        .where('chain', '=', idOf(id))
        .orderBy('number')
        .execute()
      return rows.map((row) => row.message)
    },
  }
}

storeConformance('PostgreSQL', harness, { runs: 12 })

it('takes what has been due longest first', async () => {
  const { store, put, advance } = await harness()
  const desired = (id: string, generation: number) => ({
    generation,
    deployment: {
      id,
      name: id,
      project: 'shop',
      prefix: id,
      platform: 'local',
      model: 'push',
      environment: {},
    } as const,
    operation: 'run' as const,
    target: null,
    setup: null,
    controls: [],
    customer: { updates: 'automatic' as const, access: 'granted' as const, windows: [] },
    answers: [],
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] } as const,
  })
  for (const id of ['a', 'b', 'c']) await put(desired(id, 1))
  for (const [id, wake] of Object.entries({ a: 3_000, b: 1_000, c: 2_000 })) {
    const claimed = await store.claim('m', 1_000, id)
    if (claimed) await store.release(claimed.lease, { observed: 1, wakeAt: start + wake })
  }
  advance(5_000)
  const order: (string | undefined)[] = []
  for (let i = 0; i < 4; i++) order.push((await store.claim('m', 60_000))?.lease.deployment)
  expect(order).toEqual(['b', 'c', 'a', undefined])
})
