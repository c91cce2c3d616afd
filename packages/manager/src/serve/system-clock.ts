import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Random } from '@landfall/engine'

/** The real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  },
}

/** Chance that nobody relies on for secrets: jitter. */
export const systemRandom: Random = { next: () => Math.random() }
