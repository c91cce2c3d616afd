import type { Clock } from '@landfall/engine'

/** What is waited for together ends together: at most so much later than asked, in milliseconds. */
const tickMs = 250

interface Bucket {
  ends: Set<() => void>
  sleeping: AbortController
}

/**
 * The waits of many. One timer serves all that end in the same quarter of a second, and one that is ended before its time is only a promise
 * that resolves: a timer each, taken back by an `AbortSignal`, costs as much as the order that ended the wait.
 */
export class Holds {
  readonly #clock: Clock
  readonly #buckets = new Map<number, Bucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins a wait of `ms`; `over` resolves then, or when `end` is called, and never rejects. */
  begin(ms: number): { over: Promise<void>; end: () => void } {
    const at = Math.ceil((this.#clock.now() + ms) / tickMs) * tickMs
    const bucket = this.#buckets.get(at) ?? this.#open(at)
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const end = () => {
      if (!bucket.ends.delete(end)) return
      if (bucket.ends.size === 0) this.#close(at, bucket)
      resolve()
    }
    bucket.ends.add(end)
    return { over, end }
  }

  #open(at: number): Bucket {
    const bucket: Bucket = { ends: new Set(), sleeping: new AbortController() }
    this.#buckets.set(at, bucket)
    const endAll = () => {
      for (const end of [...bucket.ends]) end()
    }
    // Ended before its time: nobody is in it any more.
    this.#clock.sleep(at - this.#clock.now(), bucket.sleeping.signal).then(endAll, endAll)
    return bucket
  }

  #close(at: number, bucket: Bucket): void {
    if (this.#buckets.get(at) === bucket) this.#buckets.delete(at)
    bucket.sleeping.abort()
  }
}
