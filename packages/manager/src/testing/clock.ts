import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@landfall/engine'

export interface TestClock extends Clock {
  /** Moves the time on. */
  advance(ms: number): void
}

/** A clock that stands at a fixed time until it is moved; sleeping is real. */
export function testClock(start = Date.parse('2026-11-21T12:00:00.000Z')): TestClock {
  let now = start
  return {
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
  }
}
