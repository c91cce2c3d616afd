import { LandfallError } from '@landfall/stack'
import type { Clock } from '../ports/clock.ts'
import type { Lease, StateStore } from '../ports/store.ts'

/**
 * Renews a lease in the background. `lost` aborts when it could not be renewed in time: from then on nothing may be done in
 * this deployment's name, not even finishing.
 */
export class LeaseKeeper {
  readonly lost: AbortSignal
  #lease: Lease
  readonly #store: StateStore
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #ended = new AbortController()
  readonly #lost = new AbortController()
  readonly #loop: Promise<void>

  constructor(lease: Lease, store: StateStore, clock: Clock, ttlMs: number) {
    this.#lease = lease
    this.#store = store
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.lost = this.#lost.signal
    this.#loop = this.#keep()
  }

  get lease(): Lease {
    return this.#lease
  }

  /** Called when a write was refused for a stale epoch. */
  lose(): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(leaseLost())
    this.#ended.abort()
  }

  /** Ends the renewal; the lease itself is left as it is. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#loop
  }

  async #keep(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        await this.#clock.sleep(this.#ttlMs / 3, this.#ended.signal)
      } catch {
        return
      }
      try {
        this.#lease = await this.#store.renew(this.#lease, this.#ttlMs)
      } catch (error) {
        if (LandfallError.is(error, 'E_STALE_EPOCH')) return this.lose()
        // Another attempt fits in, unless the lease is about to end: then stop before somebody else may start.
        if (this.#clock.now() + this.#ttlMs / 3 >= this.#lease.expiresAt) return this.lose()
      }
    }
  }
}

export function leaseLost(): LandfallError {
  return new LandfallError({
    code: 'E_STALE_EPOCH',
    message: 'The lease of this deployment is held by another runner now',
    hint: 'Nothing to do: the other runner goes on from the last persisted step.',
  })
}
