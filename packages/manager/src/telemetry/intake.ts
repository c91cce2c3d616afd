import type { Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import {
  type Encoding,
  letPass,
  malformed,
  type Passed,
  parseRequest,
  readBody,
  recordCount,
  type Signal,
} from '@landfall/telemetry'
import type { Database } from '../store/database.ts'
import { BatchQueue } from './batch-queue.ts'
import type { Days } from './days.ts'
import { Drops } from './drops.ts'
import type { Forwarding } from './forward/forwarding.ts'
import { insertLogs } from './insert-logs.ts'
import { insertMeters } from './insert-meters.ts'
import { insertPoints } from './insert-points.ts'
import { insertSpans } from './insert-spans.ts'
import { MeterBounds } from './meter-bounds.ts'
import { type LogRow, logRows } from './rows/log-rows.ts'
import { type MeterPoint, meterPoints } from './rows/meter-rows.ts'
import { type RequestPoint, requestPoints } from './rows/metric-rows.ts'
import { type SpanRow, spanRows } from './rows/span-rows.ts'
import type { Sender, Senders } from './senders.ts'
import { SpanBudget } from './span-budget.ts'

const maxWaiting = 100_000
const maxBatch = 5_000

/** One export request as it came over HTTP. The sender is what its token says, never what the payload says. */
export interface Incoming {
  signal: Signal
  body: Uint8Array
  contentType: string | undefined
  contentEncoding: string | undefined
  project: string
  deployment: string
}

export interface Taken {
  encoding: Encoding
  /** Records that were not stored because they are too old. */
  rejected: number
}

export interface IntakeCounters {
  requests: Record<Signal, number>
  stored: { logs: number; points: number; spans: number }
  rejected: number
  refused: number
  /** What the customer does not let leave: whole requests by the policy, and log lines below error. */
  dropped: { requests: Record<'off' | 'errors-only', number>; lines: number }
  /** What is beyond a bound of the store, by reason. */
  beyond: Drops['totals']
}

/** Takes telemetry: decodes, stamps, stores, sends on. What it answers with success is in the database. */
export class Intake {
  readonly counters: IntakeCounters
  readonly #deps: { db: Database; clock: Clock; days: Days; senders: Senders; forwarding: Forwarding }
  readonly #drops = new Drops()
  readonly #meterBounds: MeterBounds
  readonly #spanBudget = new SpanBudget()
  readonly #logs: BatchQueue<Of<LogRow>>
  readonly #points: BatchQueue<Of<RequestPoint>>
  readonly #meters: BatchQueue<Of<MeterPoint>>
  readonly #spans: BatchQueue<Of<SpanRow>>

  constructor(deps: { db: Database; clock: Clock; days: Days; senders: Senders; forwarding: Forwarding }) {
    this.#deps = deps
    this.#meterBounds = new MeterBounds(deps.db, this.#drops)
    this.counters = {
      requests: { logs: 0, metrics: 0, traces: 0 },
      stored: { logs: 0, points: 0, spans: 0 },
      rejected: 0,
      refused: 0,
      dropped: { requests: { off: 0, 'errors-only': 0 }, lines: 0 },
      beyond: this.#drops.totals,
    }
    this.#logs = this.#queue('logs', (row) => row.at / 1_000, insertLogs)
    this.#points = this.#queue('points', (row) => row.at, insertPoints)
    this.#meters = this.#queue('points', (row) => row.at, insertMeters)
    this.#spans = this.#queue('spans', (row) => row.at / 1_000, insertSpans)
  }

  /** Records that wait to be stored. */
  get waiting(): number {
    return this.#logs.held + this.#points.held + this.#meters.held + this.#spans.held
  }

  /**
   * @throws LandfallError `E_OTLP_MALFORMED`, `E_OTLP_ENCODING`, `E_OTLP_TOO_LARGE`, `E_TELEMETRY_BUSY`, `E_NOT_FOUND`
   */
  async take(incoming: Incoming): Promise<Taken> {
    this.counters.requests[incoming.signal] += 1
    try {
      return await this.#take(incoming)
    } catch (error) {
      this.counters.refused += 1
      throw error
    }
  }

  /** Writes down how much was dropped since the last time. */
  flushDrops(): Promise<void> {
    return this.#drops.flush(this.#deps.db, this.#deps.clock.now())
  }

  /** Takes no more, and resolves when all that was accepted is stored. */
  async close(): Promise<void> {
    await Promise.all([this.#logs.close(), this.#points.close(), this.#meters.close(), this.#spans.close()])
    await this.flushDrops()
  }

  async #take({ signal, body, contentType, contentEncoding, project, deployment }: Incoming): Promise<Taken> {
    const { senders, forwarding } = this.#deps
    const { bytes, encoding } = await readBody(body, contentType, contentEncoding)
    const sender = await senders.find(deployment)
    if (!sender) throw unknownSender()
    const policy = sender.telemetry
    // Accepted, so that the exporter does not try again: what may not leave is dropped here, should it have been sent.
    if (policy === 'off') {
      this.counters.dropped.requests.off += 1
      return { encoding, rejected: 0 }
    }
    const identity = {
      'landfall.project': project,
      'landfall.deployment.id': deployment,
      'landfall.deployment.name': sender.name,
    }
    const parsed = parseRequest(bytes, encoding, signal, identity)
    const passed = letPass(policy, signal, encoding, parsed)
    if (policy !== 'on') this.#countWithheld(policy, signal, parsed.request, passed)
    if (!passed) return { encoding, rejected: 0 }
    const rejected = await this.#store(signal, passed.request, sender, deployment)
    this.counters.rejected += rejected
    forwarding.send(project, { signal, encoding: passed.encoding, bytes: passed.bytes })
    return { encoding, rejected }
  }

  #countWithheld(policy: 'errors-only', signal: Signal, request: unknown, passed: Passed | null): void {
    if (!passed) this.counters.dropped.requests[policy] += 1
    if (signal !== 'logs') return
    this.counters.dropped.lines += recordCount(request, signal) - (passed ? recordCount(passed.request, signal) : 0)
  }

  /** Answers how many records are too old to be kept. */
  async #store(signal: Signal, request: unknown, sender: Sender, deployment: string): Promise<number> {
    const now = this.#deps.clock.now()
    const fresh = <T>(rows: readonly T[], at: (row: T) => number) =>
      rows.filter((row) => this.#deps.days.takes(at(row), now, sender.retentionDays))
    const of = <T extends object>(rows: readonly T[]) => rows.map((row) => ({ ...row, deployment }))
    if (signal === 'logs') {
      const rows = readable(() => logRows(request, now))
      const kept = fresh(rows, (row) => row.at / 1_000)
      await this.#logs.add(of(kept))
      return rows.length - kept.length
    }
    if (signal === 'traces') {
      const { rows, skipped } = readable(() => spanRows(request, now))
      const kept = fresh(rows, (row) => row.at / 1_000)
      const admitted = this.#spanBudget.admit(deployment, kept)
      this.#drops.add(deployment, 'traces', 'unread', skipped)
      this.#drops.add(deployment, 'traces', 'rate', kept.length - admitted.length)
      await this.#spans.add(of(admitted))
      return rows.length - kept.length
    }
    const requests = readable(() => requestPoints(request, now))
    const meters = readable(() => meterPoints(request, now))
    const keptRequests = fresh(requests, (point) => point.at)
    const keptMeters = fresh(meters.points, (point) => point.at)
    this.#drops.add(deployment, 'metrics', 'unread', meters.skipped)
    const admitted = await this.#meterBounds.admit(deployment, keptMeters, now)
    await Promise.all([this.#points.add(of(keptRequests)), this.#meters.add(of(admitted))])
    return requests.length - keptRequests.length + meters.points.length - keptMeters.length
  }

  #queue<T extends object>(
    counter: keyof IntakeCounters['stored'],
    at: (row: T) => number,
    insert: (db: Database, rows: readonly Of<T>[]) => Promise<void>,
  ): BatchQueue<Of<T>> {
    const { db, days } = this.#deps
    return new BatchQueue<Of<T>>(
      async (rows) => {
        await days.open(rows.map(at))
        await insert(db, rows)
        this.counters.stored[counter] += rows.length
      },
      { maxItems: maxWaiting, maxBatch },
    )
  }
}

type Of<T> = T & { deployment: string }

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw malformed('its fields have another form than OTLP gives them', cause)
  }
}

function unknownSender(): LandfallError {
  return new LandfallError({
    code: 'E_NOT_FOUND',
    message: 'The deployment that this token belongs to is no more.',
    hint: 'Stop the exporter.',
  })
}
