import { type OtlpSpan, plainAttributes, textAttribute, tracesRequest } from '@landfall/telemetry'
import { boundedAttributes } from './bounded-attributes.ts'

/** A span as it is stored. */
export interface SpanRow {
  /** Microseconds since the epoch. */
  at: number
  trace: string
  span: string
  parent: string | null
  worker: string | null
  version: string | null
  name: string
  /** OpenTelemetry's SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer; 0: not said. */
  kind: number
  durationMs: number
  /** 0 not said, 1 ok, 2 failed. */
  status: number
  message: string | null
  attributes: Record<string, unknown>
  events: { at: number; name: string; attributes: Record<string, unknown> }[]
}

const maxText = 1_000
const maxEvents = 16
const traceId = /^[0-9a-f]{32}$/
const spanId = /^[0-9a-f]{16}$/

/**
 * The spans of an export request in JSON shape; those without proper ids are counted as skipped. A span that begins after `now`
 * (milliseconds) is taken as of `now`.
 * @throws ZodError for another shape
 */
export function spanRows(request: unknown, now: number): { rows: SpanRow[]; skipped: number } {
  const spans = tracesRequest.parse(request).resourceSpans.flatMap((group) => {
    const resource = plainAttributes(group.resource.attributes)
    const worker = textAttribute(resource, 'landfall.worker', 'service.name')
    const version = textAttribute(resource, 'landfall.version', 'service.version')
    return group.scopeSpans.flatMap((scope) => scope.spans.map((span) => row(span, worker, version, now)))
  })
  const rows = spans.filter((span) => traceId.test(span.trace) && spanId.test(span.span))
  return { rows, skipped: spans.length - rows.length }
}

function row(span: OtlpSpan, worker: string | null, version: string | null, now: number): SpanRow {
  const started = span.startTimeUnixNano
  const took = span.endTimeUnixNano - started
  const parent = span.parentSpanId.toLowerCase()
  return {
    at: started > 0n ? Math.min(Number(started / 1_000n), now * 1_000) : now * 1_000,
    trace: span.traceId.toLowerCase(),
    span: span.spanId.toLowerCase(),
    parent: spanId.test(parent) ? parent : null,
    worker,
    version,
    name: text(span.name),
    kind: span.kind >= 0 && span.kind <= 5 ? span.kind : 0,
    durationMs: took > 0n ? Number(took / 1_000n) / 1_000 : 0,
    status: span.status.code >= 0 && span.status.code <= 2 ? span.status.code : 0,
    message: span.status.message === '' ? null : text(span.status.message),
    attributes: boundedAttributes(plainAttributes(span.attributes)),
    events: span.events.slice(0, maxEvents).map((event) => ({
      at: Number(event.timeUnixNano / 1_000n) / 1_000,
      name: text(event.name),
      attributes: boundedAttributes(plainAttributes(event.attributes)),
    })),
  }
}

const text = (value: string) => value.slice(0, maxText).replaceAll('\0', '').toWellFormed()
