/** Sends one kind of telemetry: batched, bounded, never in anyone's way. */
export interface ExporterOptions {
  /** Full address, such as `http://127.0.0.1:4318/v1/logs`. */
  url: string
  headers: Readonly<Record<string, string>>
  /** Records of one request body. */
  encode: (records: readonly unknown[]) => unknown
  /** Records that wait at most; newer ones are dropped and counted. */
  capacity?: number
  batch?: number
  intervalMs?: number
  timeoutMs?: number
  /** 0 ≤ x < 1, for the jitter of retries. */
  random?: () => number
}

const maxAttempts = 5
const longestBackoffMs = 30_000

export class Exporter {
  readonly #options: Required<ExporterOptions>
  #waiting: unknown[] = []
  /** What was sent and not accepted yet; it is sent again as it was, so that the receiver can tell a repetition. */
  #held: { records: unknown[]; body: string; attempts: number; notBefore: number } | undefined
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #dropped = 0

  constructor(options: ExporterOptions) {
    const standard = { capacity: 2048, batch: 512, intervalMs: 1_000, timeoutMs: 10_000, random: Math.random }
    this.#options = { ...standard, ...options }
  }

  /** Records that were lost, since the start: there was no room, or the receiver would not have them. */
  get dropped(): number {
    return this.#dropped
  }

  add(record: unknown): void {
    if (this.#waiting.length >= this.#options.capacity) {
      this.#dropped++
      return
    }
    this.#waiting.push(record)
    // Unreferenced: telemetry alone does not keep a process alive; `flush` at its end does.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#run()
    }, this.#options.intervalMs).unref()
  }

  /** Sends what waits, once, with the given time in milliseconds at most. */
  async flush(withinMs: number): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#held) this.#held.notBefore = 0
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, withinMs)
    await Promise.race([late.promise, (this.#running ?? Promise.resolve()).then(() => this.#run())])
    clearTimeout(timer)
  }

  #run(): Promise<void> {
    this.#running ??= this.#send().finally(() => {
      this.#running = undefined
      if (this.#held || this.#waiting.length > 0) this.#later()
    })
    return this.#running
  }

  #later(): void {
    const wait = Math.max(this.#options.intervalMs, (this.#held?.notBefore ?? 0) - performance.now())
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#run()
    }, wait).unref()
  }

  /** Sends batch after batch until one fails or nothing waits. */
  async #send(): Promise<void> {
    while (this.#held || this.#waiting.length > 0) {
      if (!this.#held) {
        const records = this.#waiting.splice(0, this.#options.batch)
        const body = JSON.stringify(this.#options.encode(records))
        this.#held = { records, body, attempts: 0, notBefore: 0 }
      }
      if (performance.now() < this.#held.notBefore) return
      const outcome = await this.#post(this.#held.body)
      this.#held.attempts++
      if (outcome === 'retry' && this.#held.attempts < maxAttempts) {
        const backoff = Math.min(longestBackoffMs, 1_000 * 2 ** (this.#held.attempts - 1))
        this.#held.notBefore = performance.now() + this.#options.random() * backoff
        return
      }
      if (outcome !== 'accepted') this.#dropped += this.#held.records.length
      this.#held = undefined
    }
  }

  /** The statuses that OTLP/HTTP allows to be sent again are 429, 502, 503 and 504. */
  async #post(body: string): Promise<'accepted' | 'retry' | 'refused'> {
    try {
      const response = await fetch(this.#options.url, {
        method: 'POST',
        headers: { ...this.#options.headers, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        redirect: 'error',
      })
      await response.body?.cancel()
      if (response.ok) return 'accepted'
      return [429, 502, 503, 504].includes(response.status) ? 'retry' : 'refused'
    } catch {
      return 'retry'
    }
  }
}
