import { sha256 } from '@landfall/stack'
import {
  logsRequest,
  type OtlpLogRecord,
  plainAttributes,
  plainValue,
  type Severity,
  severityOf,
  textAttribute,
} from '@landfall/telemetry'
import { boundedAttributes } from './bounded-attributes.ts'

/** A log record as it is stored. */
export interface LogRow {
  /** Microseconds since the epoch. */
  at: number
  /** Orders lines of one instant, and is the same when an exporter sends the same bytes again. */
  id: string
  severity: Severity
  worker: string | null
  version: string | null
  body: string
  attributes: Record<string, unknown>
  trace: string | null
}

const maxBody = 32_768

/**
 * The log records of an export request in JSON shape. A record without a time gets `now` (milliseconds); one from the future is
 * taken as of `now`, so that a wrong clock can't hide lines behind the cursor or make partitions ahead.
 * @throws ZodError for another shape
 */
export function logRows(request: unknown, now: number): LogRow[] {
  const rows = logsRequest.parse(request).resourceLogs.flatMap((group) => {
    const resource = plainAttributes(group.resource.attributes)
    const worker = textAttribute(resource, 'landfall.worker', 'service.name')
    const version = textAttribute(resource, 'landfall.version', 'service.version')
    return group.scopeLogs.flatMap((scope) => scope.logRecords.map((record) => row(record, worker, version, now)))
  })
  return rows.map((line, position) => ({ ...line, id: idOf(line, position) }))
}

function row(record: OtlpLogRecord, worker: string | null, version: string | null, now: number): Omit<LogRow, 'id'> {
  const nanos = record.timeUnixNano > 0n ? record.timeUnixNano : record.observedTimeUnixNano
  const at = nanos > 0n ? Math.min(Number(nanos / 1_000n), now * 1_000) : now * 1_000
  const body = plainValue(record.body)
  return {
    at,
    severity: severityOf(record),
    worker,
    version,
    body: truncate(typeof body === 'string' ? body : body === null ? '' : JSON.stringify(body)),
    attributes: boundedAttributes(plainAttributes(record.attributes)),
    trace: record.traceId === '' ? null : record.traceId.toLowerCase().slice(0, 64),
  }
}

/** Its place in the request, then what it says: a batch that is sent again after a lost answer makes no second line. */
function idOf(line: Omit<LogRow, 'id'>, position: number): string {
  const content = sha256(JSON.stringify([line.at, line.severity, line.worker, line.version, line.body, line.trace]))
  return `${String(position).padStart(6, '0')}${content.slice(7, 19)}`
}

const truncate = (body: string) => (body.length > maxBody ? `${body.slice(0, maxBody)}… (cut)` : body).toWellFormed()
