import { LandfallError } from '@landfall/stack'

interface Failures {
  count: number
  last: number
}

const free = 5
const longestMs = 15 * 60_000
const forgetMs = 60 * 60_000

/**
 * Slows guessing down: after five failures of one key (an account, a peer) each further one doubles the wait, up to
 * fifteen minutes. In memory and bounded: the key that failed longest ago goes first. Each manager counts for itself.
 */
export class Attempts {
  readonly #failures = new Map<string, Failures>()
  readonly #maxKeys: number

  constructor(maxKeys = 10_000) {
    this.#maxKeys = maxKeys
  }

  /** @throws LandfallError `E_TOO_MANY_ATTEMPTS` while a key has to wait. */
  check(keys: readonly string[], now: number): void {
    const until = Math.max(...keys.map((key) => this.#until(key, now)))
    if (until <= now) return
    const seconds = Math.ceil((until - now) / 1000)
    throw new LandfallError({
      code: 'E_TOO_MANY_ATTEMPTS',
      message: `Too many failed attempts; the next is taken in ${seconds} seconds.`,
      hint: 'Wait, then check address and password. An operator can send a new invitation.',
      retryable: true,
    })
  }

  failed(keys: readonly string[], now: number): void {
    for (const key of keys) {
      const count = (this.#current(key, now)?.count ?? 0) + 1
      // Deleted first, so that the map stays ordered by the last failure.
      this.#failures.delete(key)
      this.#failures.set(key, { count, last: now })
      const oldest = this.#failures.keys().next().value
      if (this.#failures.size > this.#maxKeys && oldest !== undefined) this.#failures.delete(oldest)
    }
  }

  succeeded(keys: readonly string[]): void {
    for (const key of keys) this.#failures.delete(key)
  }

  #until(key: string, now: number): number {
    const failures = this.#current(key, now)
    if (!failures || failures.count < free) return 0
    return failures.last + Math.min(longestMs, 1000 * 2 ** (failures.count - free))
  }

  #current(key: string, now: number): Failures | undefined {
    const failures = this.#failures.get(key)
    return failures && now - failures.last < forgetMs ? failures : undefined
  }
}
