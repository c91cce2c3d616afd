import { initialState, type Target } from '@landfall/engine'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { plan, testFleet } from '../testing/fleet.ts'
import { advanceRollout } from './advance-rollout.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>
let now = 0

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  fleet = await testFleet(await server.database())
  now = Date.now()
})

/** Every rollout that is due within the next minute has its looks. */
async function look() {
  for (let second = 0; second < 60; second += 5) {
    now += 5_000
    for (let looks = 0; looks < 20 && (await advanceRollout(fleet.db, now)) !== null; looks += 1);
  }
}

const told = async (id: string): Promise<Target | null> =>
  (await fleet.db.selectFrom('deployments').select('target').where('id', '=', id).executeTakeFirstOrThrow()).target

/** What its engine would have written: it has answered, and rests on `stable`. */
async function arrive(
  id: string,
  more: { stable?: Target | null; phase?: 'access-revoked' | 'pending'; back?: string } = {},
) {
  const row = await fleet.db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const stable = more.stable === undefined ? row.target : more.stable
  const back = more.back && row.target ? [{ target: row.target.digest, code: more.back, message: 'Bad', at: now }] : []
  // An engine remembers it for long, whatever it is told since.
  const rejected = [...(row.state?.rejected ?? []), ...back]
  const state = {
    ...initialState(now),
    phase: more.phase ?? 'running',
    generation: row.requested_generation,
    stable,
    rejected,
  }
  await fleet.db
    .updateTable('deployments')
    .set({ state: JSON.stringify(state), observed_generation: row.requested_generation })
    .where('id', '=', id)
    .execute()
}

const inTwo = plan([
  { name: 'first', groups: ['ring-1'], soak: '0s' },
  { name: 'all', share: 100, soak: '0s' },
])

/** `a` reached 1.1.0 and then locked us out; `b` could not get there, and the rollout was aborted. */
async function abortedWithOneAway() {
  await fleet.deploy('a', { group: 'ring-1' })
  await fleet.deploy('b')
  await fleet.rollOut(await fleet.release('1.0.0'))
  await look()
  for (const id of ['a', 'b']) await arrive(id)
  await look()
  const first = await told('a')
  const rollout = await fleet.rollOut(await fleet.release('1.1.0'), inTwo)
  await look()
  await arrive('a')
  await look()
  const second = await told('a')
  await arrive('a', { phase: 'access-revoked' })
  await arrive('b', { stable: first, back: 'BAD' })
  await look()
  await arrive('b', { stable: await told('b') })
  await look()
  expect(await fleet.phase(rollout)).toBe('aborted')
  return { rollout, first, second }
}

describe('two rollouts of one channel', () => {
  it('an aborted one leaves alone what a newer one has told since', async () => {
    const { second } = await abortedWithOneAway()
    const newest = await fleet.release('1.2.0')
    await fleet.rollOut(newest)
    await arrive('a', { stable: second })
    await look()
    expect((await told('a'))?.release).toBe(newest)
    const before = await fleet.db.selectFrom('targets').select('generation').where('deployment', '=', 'a').execute()
    await look()
    expect((await told('a'))?.release).toBe(newest)
    const after = await fleet.db.selectFrom('targets').select('generation').where('deployment', '=', 'a').execute()
    expect(after.length).toBe(before.length)
  })

  it('one that aborts goes on bringing its own back, although a newer one has begun elsewhere', async () => {
    await fleet.deploy('a')
    await fleet.deploy('b', { group: 'ring-1' })
    await fleet.rollOut(await fleet.release('1.0.0'))
    await look()
    for (const id of ['a', 'b']) await arrive(id)
    await look()
    const first = await told('a')
    const bad = await fleet.rollOut(await fleet.release('1.1.0'))
    await look()
    await arrive('b', { stable: first, back: 'BAD' })
    // Somebody holds the row of `a` at the very look that aborts, so it is not told yet.
    await fleet.db.transaction().execute(async (trx) => {
      await trx.selectFrom('deployments').select('id').where('id', '=', 'a').forUpdate().execute()
      now += 60_000
      await advanceRollout(fleet.db, now)
    })
    expect(await fleet.phase(bad)).toBe('aborting')
    await fleet.rollOut(await fleet.release('1.2.0'), plan([{ name: 'first', groups: ['ring-1'], soak: '1h' }]))
    await look()
    expect((await told('a'))?.digest).toBe(first?.digest)
    await arrive('a')
    await look()
    expect(await fleet.phase(bad)).toBe('aborted')
  })
})

describe('a deployment that nobody has had a reason to look at', () => {
  it('is not offline: one that was sent back to nothing gets the next release, however long that takes', async () => {
    await fleet.deploy('a')
    await fleet.rollOut(await fleet.release('1.0.0'))
    await look()
    await arrive('a', { stable: null, back: 'BAD' })
    await look()
    expect(await told('a')).toBe(null)
    await arrive('a', { stable: null, phase: 'pending' })
    // Nothing to do there, so nobody comes; it was last seen when it was sent back.
    await fleet.db
      .updateTable('deployments')
      .set({ last_seen_at: new Date(now), wake_at: null })
      .execute()
    now += 3_600_000
    const next = await fleet.release('1.0.1')
    await fleet.rollOut(next)
    await look()
    expect((await told('a'))?.release).toBe(next)
  })
})

describe('a rollout that is tried once more after its abort', () => {
  // Found by the simulation, seed 31114: the engine refused at once what it remembered as gone back, and the retry was aborted as well.
  it('asks the engine of one that it had failed on, and has sent back since, to try that again', async () => {
    const { rollout, second } = await abortedWithOneAway()
    const kinds = () => fleet.db.selectFrom('controls').select('kind').where('deployment', '=', 'b').execute()
    expect(await kinds()).toEqual([])
    await arrive('a')
    const again = { rollout, id: 'again', kind: 'retry' as const, by: 'ada', at: new Date(now) }
    await fleet.db.insertInto('rollout_controls').values(again).execute()
    await fleet.db
      .updateTable('rollouts')
      .set({ wake_at: new Date(now) })
      .where('id', '=', rollout)
      .execute()
    await look()
    await arrive('a')
    await look()
    expect((await told('b'))?.release).toBe(second?.release)
    expect(await kinds()).toEqual([{ kind: 'retry' }])
  })
})

describe('a rollout that was controlled very often', () => {
  it('still obeys', async () => {
    await fleet.deploy('a')
    const rollout = await fleet.rollOut(await fleet.release('1.0.0'))
    const at = (index: number) => new Date(now + index)
    const old = Array.from({ length: 600 }, (_, index) => ({
      rollout,
      id: `c${index}`,
      kind: 'resume' as const,
      by: 'ada',
      at: at(index),
    }))
    await fleet.db.insertInto('rollout_controls').values(old).execute()
    await fleet.db
      .insertInto('rollout_controls')
      .values({ rollout, id: 'last', kind: 'abort' as const, by: 'ada', at: at(601) })
      .execute()
    await look()
    expect(await fleet.phase(rollout)).toBe('aborted')
  })
})
