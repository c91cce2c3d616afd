import { LandfallError } from '@landfall/stack'
import { expect, it } from 'vitest'
import type { StateStore } from '../ports/store.ts'
import { SimClock } from '../testing/index.ts'
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
