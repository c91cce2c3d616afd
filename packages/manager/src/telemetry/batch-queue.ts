import { LandfallError } from '@landfall/stack'

interface Waiting<T> {
  items: readonly T[]
  resolve(): void
  reject(error: unknown): void
}

/**
 * Gathers what many requests bring and writes it in batches; `add` resolves when its own items are stored, so that what was
 * answered with success is not lost with the process. Bounded: beyond `maxItems` waiting it refuses, and the sender comes again.
 */
export class BatchQueue<T> {
  readonly #write: (items: readonly T[]) => Promise<void>
  readonly #maxItems: number
  readonly #maxBatch: number
  #waiting: Waiting<T>[] = []
  #held = 0
  #running: Promise<void> | null = null
  #closed = false

  constructor(write: (items: readonly T[]) => Promise<void>, options: { maxItems: number; maxBatch: number }) {
    this.#write = write
    this.#maxItems = options.maxItems
    this.#maxBatch = options.maxBatch
  }

  /** Items that are accepted and not yet stored. */
  get held(): number {
    return this.#held
  }

  /** @throws LandfallError `E_TELEMETRY_BUSY` when full or closing; whatever `write` threw for its batch. */
  add(items: readonly T[]): Promise<void> {
    if (items.length === 0) return Promise.resolve()
    if (this.#closed || this.#held + items.length > this.#maxItems) return Promise.reject(busy())
    this.#held += items.length
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ items, resolve, reject }))
    this.#running ??= this.#drain()
    return done
  }

  /** Takes no more, and resolves when all that was accepted is written. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #drain(): Promise<void> {
    // One turn of the event loop gathers what arrived together; while a write runs, the next batch gathers by itself.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      const items = batch.flatMap((waiting) => waiting.items)
      try {
        await this.#write(items)
        for (const waiting of batch) waiting.resolve()
      } catch (error) {
        for (const waiting of batch) waiting.reject(error)
      }
      this.#held -= items.length
    }
    this.#running = null
  }

  #take(): Waiting<T>[] {
    let count = 0
    let size = 0
    for (const waiting of this.#waiting) {
      if (count > 0 && size + waiting.items.length > this.#maxBatch) break
      count += 1
      size += waiting.items.length
    }
    return this.#waiting.splice(0, count)
  }
}

function busy(): LandfallError {
  return new LandfallError({
    code: 'E_TELEMETRY_BUSY',
    message: 'More telemetry is waiting to be stored than the manager holds.',
    hint: 'Send it again after the time in Retry-After; if it stays so, look at the database or lower the volume.',
    retryable: true,
  })
}
