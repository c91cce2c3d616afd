import type { Signal } from './parse-request.ts'
import type { Encoding } from './read-body.ts'

/** One export request to be sent on, stamped, in the encoding it came in. */
export interface Parcel {
  signal: Signal
  encoding: Encoding
  bytes: Uint8Array
}

export interface EndpointOptions {
  /** OTLP/HTTP base address, without `/v1/…`. */
  url: string
  headers: Readonly<Record<string, string>>
  clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> }
  random: { next(): number }
  fetch?: typeof globalThis.fetch
  /** Bytes held at most; beyond it the oldest go. */
  maxBytes?: number
  /** How long one parcel is tried, and one attempt may take, in milliseconds. */
  budgetMs?: number
  timeoutMs?: number
  baseMs?: number
}

/** Counters for `/metrics`; they only rise. */
export interface EndpointCounters {
  sent: number
  retried: number
  dropped: { full: number; budget: number; refused: number; closed: number }
}

const retryableStatus = new Set([429, 502, 503, 504])

/**
 * Sends parcels to one OTLP endpoint in order, one at a time. Retries what OTLP/HTTP calls retryable (429, 502, 503, 504, no
 * connection) with exponential backoff and full jitter, never earlier than a `Retry-After`, until the parcel's budget is used.
 */
export class Endpoint {
  readonly counters: EndpointCounters = { sent: 0, retried: 0, dropped: { full: 0, budget: 0, refused: 0, closed: 0 } }
  readonly #options: Required<EndpointOptions>
  readonly #stop = new AbortController()
  readonly #queue: Parcel[] = []
  #bytes = 0
  #running: Promise<void> | null = null

  constructor(options: EndpointOptions) {
    this.#options = {
      fetch: globalThis.fetch,
      maxBytes: 16_777_216,
      budgetMs: 120_000,
      timeoutMs: 10_000,
      baseMs: 500,
      ...options,
    }
  }

  get held(): number {
    return this.#queue.length
  }

  send(parcel: Parcel): void {
    if (this.#stop.signal.aborted) {
      this.counters.dropped.closed += 1
      return
    }
    this.#queue.push(parcel)
    this.#bytes += parcel.bytes.length
    // The newest is worth most: it is what somebody looks at now. The one being sent stays.
    while (this.#bytes > this.#options.maxBytes && this.#queue.length > 1) this.#drop(this.#running ? 1 : 0)
    this.#running ??= this.#drain()
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Ends at once; what waits is dropped and counted. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('closed'))
    await this.#running
    this.counters.dropped.closed += this.#queue.length
    this.#queue.length = 0
    this.#bytes = 0
  }

  #drop(index: number): void {
    const [parcel] = this.#queue.splice(index, 1)
    if (!parcel) return
    this.#bytes -= parcel.bytes.length
    this.counters.dropped.full += 1
  }

  async #drain(): Promise<void> {
    for (let parcel = this.#queue[0]; parcel && !this.#stop.signal.aborted; parcel = this.#queue[0]) {
      const outcome = await this.#deliver(parcel)
      if (outcome === 'closed') break
      if (outcome === 'sent') this.counters.sent += 1
      else this.counters.dropped[outcome] += 1
      this.#queue.shift()
      this.#bytes -= parcel.bytes.length
    }
    this.#running = null
  }

  async #deliver(parcel: Parcel): Promise<'sent' | 'refused' | 'budget' | 'closed'> {
    const { clock, random, budgetMs, baseMs } = this.#options
    const deadline = clock.now() + budgetMs
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#attempt(parcel)
      if (this.#stop.signal.aborted) return 'closed'
      if (answer.kind !== 'retry') return answer.kind
      const backoff = random.next() * Math.min(30_000, baseMs * 2 ** attempt)
      const wait = Math.max(backoff, answer.afterMs)
      if (clock.now() + wait >= deadline) return 'budget'
      this.counters.retried += 1
      try {
        await clock.sleep(wait, this.#stop.signal)
      } catch {
        return 'closed'
      }
    }
  }

  async #attempt(parcel: Parcel): Promise<{ kind: 'sent' | 'refused' } | { kind: 'retry'; afterMs: number }> {
    const { url, headers, fetch, timeoutMs } = this.#options
    try {
      const response = await fetch(`${url.replace(/\/$/, '')}/v1/${parcel.signal}`, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': parcel.encoding === 'json' ? 'application/json' : 'application/x-protobuf',
        },
        body: parcel.bytes as Uint8Array<ArrayBuffer>,
        // A redirect would carry the headers, which are secrets, to another place.
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]),
      })
      await response.body?.cancel()
      if (response.ok) return { kind: 'sent' }
      if (!retryableStatus.has(response.status)) return { kind: 'refused' }
      const after = Number(response.headers.get('retry-after'))
      return { kind: 'retry', afterMs: Number.isFinite(after) && after > 0 ? after * 1_000 : 0 }
    } catch {
      return { kind: 'retry', afterMs: 0 }
    }
  }
}
