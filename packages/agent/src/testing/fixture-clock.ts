import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@landfall/engine'
import { now } from '../../../release/src/testing/fixtures.ts'

/** Time goes on as it does, from the moment at which the fixtures were signed. */
export function fixtureClock(offset = 0): Clock {
  const began = Date.now()
  return {
    now: () => now + offset + (Date.now() - began),
    sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
  }
}
