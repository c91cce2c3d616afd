import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock, Log, Random } from '@landfall/engine'
import type { Spool, SpoolItem } from '../spool/spool.ts'
import type { Uplink } from './uplink.ts'

const pack = promisify(gzip)
const batch = { maxItems: 64, maxBytes: 4 * 1024 * 1024 }
const atOnce = 4
const packFrom = 1_024
const timeoutMs = 20_000
const baseMs = 1_000
const longestMs = 60_000
const longestAskedMs = 600_000
/** Of the manager at one payload, with an error inside of it. */
const maxFailures = 8

/** Answers that say something of the payload itself: it would be refused again. All others may pass. */
const ofPayload = new Set([400, 405, 406, 411, 413, 414, 415, 422, 431])

type Outcome = { kind: 'sent' | 'refused' } | { kind: 'later'; askedMs: number }

export interface ForwarderOptions {
  spool: Pick<Spool, 'take' | 'acknowledge' | 'discard'>
  uplink: Uplink
  clock: Clock
  random: Random
  log: Log
  /** Brings the spool in step with the customer's setting; before each batch. */
  settle(): Promise<void>
  /** Whether it is in step now; asked before each payload. */
  isSettled(): boolean
}

export interface ForwarderCounters {
  sent: number
  refused: number
  failures: number
}

/**
 * Carries what is in the spool to the manager, oldest first, a few requests at once, each payload as it came: sent again after a lost
 * answer it is the same bytes, by which the manager knows it. Forgets only what arrived. What the manager takes for broken is dropped
 * and counted, so that it blocks nothing; anything else is tried again after a wait that grows, with full jitter, never before what a
 * Retry-After asks for. Without anything to send it waits for `wake`, and does nothing.
 */
export class Forwarder {
  readonly counters: ForwarderCounters = { sent: 0, refused: 0, failures: 0 }
  readonly #options: ForwarderOptions
  readonly #stop = new AbortController()
  readonly #failures = new Map<number, number>()
  #woken = Promise.withResolvers<void>()
  #running: Promise<void> | null = null

  constructor(options: ForwarderOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  wake(): void {
    this.#woken.resolve()
  }

  /** Ends at once; what was not acknowledged stays in the spool. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#options
    for (let failed = 0; !this.#stop.signal.aborted; ) {
      this.#woken = Promise.withResolvers()
      let waitMs: number | null
      try {
        waitMs = await this.#pass()
      } catch (error) {
        // A full disk, as a rule: what arrived could not be forgotten, and is sent again.
        log.warn('The telemetry spool could not be emptied', { error: String(error) })
        waitMs = 0
      }
      if (waitMs === null) {
        failed = 0
        continue
      }
      failed += 1
      const backoff = random.next() * Math.min(longestMs, baseMs * 2 ** Math.min(failed, 16))
      await clock.sleep(Math.max(backoff, waitMs), this.#stop.signal).catch(() => {})
    }
  }

  /** Sends one batch; with an empty spool waits for more. Answers null, or how long not to try again at least. */
  async #pass(): Promise<number | null> {
    const { spool } = this.#options
    await this.#options.settle()
    const items = spool.take(batch)
    if (items.length === 0) {
      await this.#woken.promise
      return null
    }
    const outcomes = await this.#send(items)
    const of = (kind: Outcome['kind']) =>
      items.flatMap((item, index) => (outcomes[index]?.kind === kind ? item.id : []))
    const [sent, refused] = [of('sent'), of('refused')]
    spool.acknowledge(sent)
    if (refused.length > 0) spool.discard(refused, 'refused')
    this.counters.sent += sent.length
    this.counters.refused += refused.length
    const later = outcomes.filter((outcome) => outcome?.kind === 'later')
    if (later.length === 0 && sent.length + refused.length === items.length) return null
    this.counters.failures += 1
    return Math.max(0, ...later.map((outcome) => outcome.askedMs))
  }

  /** After the first that has to wait, no other is begun. */
  async #send(items: readonly SpoolItem[]): Promise<(Outcome | undefined)[]> {
    const outcomes: (Outcome | undefined)[] = items.map(() => undefined)
    let next = 0
    let waits = false
    const lane = async () => {
      while (!waits && !this.#stop.signal.aborted && next < items.length) {
        const index = next++
        const item = items[index]
        if (!item) return
        const outcome = await this.#deliver(item)
        outcomes[index] = outcome
        waits ||= outcome.kind === 'later'
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    return outcomes
  }

  /** Whether the manager has failed at this payload so often that it is the payload's fault. */
  #failsAgain(id: number): boolean {
    // Ids only grow: those below are gone.
    for (const known of this.#failures.keys()) if (known < id - 10_000) this.#failures.delete(known)
    const count = (this.#failures.get(id) ?? 0) + 1
    this.#failures.set(id, count)
    return count >= maxFailures
  }

  async #deliver({ id, signal, encoding, body }: SpoolItem): Promise<Outcome> {
    // The setting has just become stricter: what was taken for this batch may be of what is not to leave any more.
    if (!this.#options.isSettled()) return { kind: 'later', askedMs: 0 }
    try {
      const packed = body.byteLength < packFrom ? null : await pack(body)
      const headers = {
        'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
        ...(packed && { 'content-encoding': 'gzip' }),
      }
      const abort = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)])
      const posted = this.#options.uplink.post(signal, packed ?? body, headers, abort)
      const { status, retryAfterMs, own } = await unlessAborted(posted, abort)
      if (status >= 200 && status < 300) return { kind: 'sent' }
      // A proxy's limit of size is of the payload too; its other refusals are of the way.
      if (status === 413 || (own && ofPayload.has(status))) return { kind: 'refused' }
      if (own && status === 500 && this.#failsAgain(id)) return { kind: 'refused' }
      return { kind: 'later', askedMs: Math.min(longestAskedMs, retryAfterMs ?? 0) }
    } catch {
      return { kind: 'later', askedMs: 0 }
    }
  }
}

/** The uplink may wait for a session without looking at the signal; the end of the agent does not wait for that. */
function unlessAborted<T>(work: Promise<T>, abort: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(abort.reason)
  abort.addEventListener('abort', end, { once: true })
  return Promise.race([work, promise]).finally(() => abort.removeEventListener('abort', end))
}
