import type { Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { Database } from '../store/database.ts'
import { BatchQueue } from './batch-queue.ts'
import type { Days } from './days.ts'
import type { Forwarding } from './forward/forwarding.ts'
import { insertLogs } from './insert-logs.ts'
import { insertPoints } from './insert-points.ts'
import { type LogRow, logRows } from './otlp/log-rows.ts'
import { malformed } from './otlp/malformed.ts'
import { type RequestPoint, requestPoints } from './otlp/metric-rows.ts'
import { isError, onlyErrors } from './otlp/only-errors.ts'
import { parseRequest, type Signal } from './otlp/parse-request.ts'
import { type Encoding, readBody } from './otlp/read-body.ts'
import type { Sender, Senders } from './senders.ts'

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
  stored: { logs: number; points: number }
  rejected: number
  refused: number
  /** What the customer does not let leave: whole requests by the policy, and log lines below error. */
  dropped: { requests: Record<'off' | 'errors-only', number>; lines: number }
}

/** Takes telemetry: decodes, stamps, stores, sends on. What it answers with success is in the database. */
export class Intake {
  readonly counters: IntakeCounters = {
    requests: { logs: 0, metrics: 0, traces: 0 },
    stored: { logs: 0, points: 0 },
    rejected: 0,
    refused: 0,
    dropped: { requests: { off: 0, 'errors-only': 0 }, lines: 0 },
  }
  readonly #deps: { clock: Clock; days: Days; senders: Senders; forwarding: Forwarding }
  readonly #logs: BatchQueue<LogRow & { deployment: string }>
  readonly #points: BatchQueue<RequestPoint & { deployment: string }>

  constructor(deps: { db: Database; clock: Clock; days: Days; senders: Senders; forwarding: Forwarding }) {
    this.#deps = deps
    const { db, days } = deps
    const bounds = { maxItems: maxWaiting, maxBatch }
    this.#logs = new BatchQueue(async (rows) => {
      await days.open(rows.map((row) => row.at / 1_000))
      await insertLogs(db, rows)
      this.counters.stored.logs += rows.length
    }, bounds)
    this.#points = new BatchQueue(async (rows) => {
      await days.open(rows.map((row) => row.at))
      await insertPoints(db, rows)
      this.counters.stored.points += rows.length
    }, bounds)
  }

  /** Records that wait to be stored. */
  get waiting(): number {
    return this.#logs.held + this.#points.held
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

  /** Takes no more, and resolves when all that was accepted is stored. */
  async close(): Promise<void> {
    await Promise.all([this.#logs.close(), this.#points.close()])
  }

  async #take({ signal, body, contentType, contentEncoding, project, deployment }: Incoming): Promise<Taken> {
    const { clock, senders, forwarding } = this.#deps
    const { bytes, encoding } = await readBody(body, contentType, contentEncoding)
    const sender = await senders.find(deployment)
    if (!sender) throw unknownSender()
    // Accepted, so that the exporter does not try again: what may not leave is dropped here, should it have been sent.
    const policy = sender.telemetry
    if (policy === 'off' || (policy === 'errors-only' && signal !== 'logs')) {
      this.counters.dropped.requests[policy] += 1
      return { encoding, rejected: 0 }
    }
    const identity = {
      'landfall.project': project,
      'landfall.deployment.id': deployment,
      'landfall.deployment.name': sender.name,
    }
    const { request, stamped } = parseRequest(bytes, encoding, signal, identity)
    const now = clock.now()
    let rejected = 0
    if (signal === 'logs') rejected = await this.#takeLogs(request, sender, deployment, now)
    if (signal === 'metrics') rejected = await this.#takePoints(request, sender, deployment, now)
    this.counters.rejected += rejected
    if (policy === 'on') forwarding.send(project, { signal, encoding, bytes: stamped })
    else {
      const errors = onlyErrors(request)
      const bytes = errors && new TextEncoder().encode(JSON.stringify(errors))
      if (bytes) forwarding.send(project, { signal, encoding: 'json', bytes })
    }
    return { encoding, rejected }
  }

  async #takeLogs(request: unknown, sender: Sender, deployment: string, now: number) {
    const rows = readable(() => logRows(request, now))
    const wanted = sender.telemetry === 'errors-only' ? rows.filter((row) => isError(row.severity)) : rows
    this.counters.dropped.lines += rows.length - wanted.length
    const fresh = wanted.filter((row) => this.#deps.days.takes(row.at / 1_000, now, sender.retentionDays))
    await this.#logs.add(fresh.map((row) => ({ ...row, deployment })))
    return wanted.length - fresh.length
  }

  async #takePoints(request: unknown, sender: Sender, deployment: string, now: number) {
    const { points } = readable(() => requestPoints(request, now))
    const fresh = points.filter((point) => this.#deps.days.takes(point.at, now, sender.retentionDays))
    await this.#points.add(fresh.map((point) => ({ ...point, deployment })))
    return points.length - fresh.length
  }
}

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
