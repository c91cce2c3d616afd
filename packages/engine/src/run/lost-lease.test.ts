import { LandfallError } from '@landfall/stack'
import { expect, it } from 'vitest'
import type { StateStore } from '../ports/store.ts'
import { exampleConfig, exampleManifest, SimClock, simulation } from '../testing/index.ts'
import { LeaseKeeper } from './lease-keeper.ts'

const ttl = 15_000
const lease = (clock: SimClock) => ({ deployment: 'd1', owner: 'm1', epoch: 1, expiresAt: clock.now() + ttl })
const refusal = (code: string) => new LandfallError({ code, message: 'It is refused.', hint: 'Nothing.' })

/** A keeper whose renewals are answered by `renew`. */
function keeperOf(clock: SimClock, renew: () => Promise<never>): LeaseKeeper {
  return new LeaseKeeper(lease(clock), { renew } as unknown as StateStore, clock, ttl)
}

it('a renewal that is refused ends the holding at once, not when the lease would have run out', async () => {
  const clock = new SimClock()
  const keeper = keeperOf(clock, () => Promise.reject(refusal('E_STALE_EPOCH')))
  await clock.advance(ttl / 3 + 1)
  expect(keeper.lost.aborted).toBe(true)
  await keeper.stop()
})

it('a store that is away ends it before anybody else may begin', async () => {
  const clock = new SimClock()
  const keeper = keeperOf(clock, () => Promise.reject(refusal('E_UNAVAILABLE')))
  await clock.advance(ttl / 3 + 1)
  expect(keeper.lost.aborted).toBe(false)
  await clock.advance(ttl - ttl / 3 - 2)
  expect(keeper.lost.aborted).toBe(true)
  await keeper.stop()
})

it('without its lease a run asks for nothing and writes nothing more', async () => {
  const sim = simulation()
  sim.wantTarget(sim.sources.release('1.0.0', 1, exampleManifest({ code: '1' }), exampleConfig))
  await sim.settle()
  sim.wantTarget(sim.sources.release('1.1.0', 2, exampleManifest({ code: '2' }), exampleConfig))
  const run = sim.begin().catch((error: Error) => error.message)
  await sim.clock.advance(3_000)
  const { store, clock } = sim
  store.renew = () => Promise.reject(refusal('E_UNAVAILABLE'))
  const asked: number[] = []
  const desired = store.desired.bind(store)
  /** One that does not stop asks again and again at one moment, for ever. */
  const goesOn = () => asked.filter((at) => at === clock.now()).length > 100
  store.desired = async (held) => {
    asked.push(clock.now())
    if (goesOn()) throw new Error('it goes on without a lease')
    return desired(held)
  }
  expect(await clock.run(run, 60_000)).toBe('lost')
  expect(goesOn()).toBe(false)
})
