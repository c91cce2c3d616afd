import type { Limits } from '../limits.ts'
import type { Random } from '../ports/clock.ts'

/**
 * Milliseconds until the next attempt: exponential with full jitter (uniform in 0..cap), so that many that failed together
 * do not come back together. `attempts` is at least 1. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoff(attempts: number, limits: Limits, random: Random): number {
  const cap = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** Math.min(attempts - 1, 30))
  return Math.ceil(random.next() * cap)
}
