/**
 * The messages of OTLP that are read here, by field number: opentelemetry-proto v1 (common, resource, logs, metrics, traces),
 * complete but for what is deprecated. Fields that are not named are skipped. The names are those of OTLP's JSON encoding, so that both encodings decode to one shape.
 */
export type Kind =
  | 'string'
  | 'bool'
  /** varint, as a number: enums, counts. */
  | 'uint'
  /** int64 varint, as a decimal string as in JSON. */
  | 'int64'
  /** uint64 varint, likewise. */
  | 'uint64'
  /** fixed64 and sfixed64, as a decimal string as in JSON. */
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  /** sint32, zigzag. */
  | 'sint'
  | 'fixed32'
  /** Ids: lower-case hex as in OTLP's JSON (not base64). */
  | 'hex'
  | 'base64'

export interface Field {
  name: string
  kind: Kind | (() => Message)
  repeated?: true
}
export type Message = Readonly<Record<number, Field>>

const one = (name: string, kind: Field['kind']): Field => ({ name, kind })
const many = (name: string, kind: Field['kind']): Field => ({ name, kind, repeated: true })

const anyValue: Message = {
  1: one('stringValue', 'string'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
  5: one('arrayValue', () => ({ 1: many('values', () => anyValue) })),
  6: one('kvlistValue', () => ({ 1: many('values', () => keyValue) })),
  7: one('bytesValue', 'base64'),
}
const keyValue: Message = { 1: one('key', 'string'), 2: one('value', () => anyValue) }
const resource: Message = { 1: many('attributes', () => keyValue), 2: one('droppedAttributesCount', 'uint') }
const scope: Message = {
  1: one('name', 'string'),
  2: one('version', 'string'),
  3: many('attributes', () => keyValue),
  4: one('droppedAttributesCount', 'uint'),
}

/** `ResourceLogs`, `ScopeLogs` and their likes have one form. */
const grouped = (resources: string, scopes: string, records: string, record: () => Message): Message => {
  const ofScope: Message = { 1: one('scope', () => scope), 2: many(records, record), 3: one('schemaUrl', 'string') }
  const ofResource: Message = {
    1: one('resource', () => resource),
    2: many(scopes, () => ofScope),
    3: one('schemaUrl', 'string'),
  }
  return { 1: many(resources, () => ofResource) }
}

const logRecord: Message = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('severityNumber', 'uint'),
  3: one('severityText', 'string'),
  5: one('body', () => anyValue),
  6: many('attributes', () => keyValue),
  7: one('droppedAttributesCount', 'uint'),
  8: one('flags', 'fixed32'),
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'fixed64'),
  12: one('eventName', 'string'),
}
export const exportLogs = grouped('resourceLogs', 'scopeLogs', 'logRecords', () => logRecord)

const exemplar: Message = {
  2: one('timeUnixNano', 'fixed64'),
  3: one('asDouble', 'double'),
  4: one('spanId', 'hex'),
  5: one('traceId', 'hex'),
  6: one('asInt', 'sfixed64'),
  7: many('filteredAttributes', () => keyValue),
}
const times = { 2: one('startTimeUnixNano', 'fixed64'), 3: one('timeUnixNano', 'fixed64') }
const numberPoint: Message = {
  ...times,
  4: one('asDouble', 'double'),
  5: many('exemplars', () => exemplar),
  6: one('asInt', 'sfixed64'),
  7: many('attributes', () => keyValue),
  8: one('flags', 'uint'),
}
const histogramPoint: Message = {
  ...times,
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  8: many('exemplars', () => exemplar),
  9: many('attributes', () => keyValue),
  10: one('flags', 'uint'),
  11: one('min', 'double'),
  12: one('max', 'double'),
}
const exponentialBuckets: Message = { 1: one('offset', 'sint'), 2: many('bucketCounts', 'uint64') }
const exponentialPoint: Message = {
  1: many('attributes', () => keyValue),
  ...times,
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: one('scale', 'sint'),
  7: one('zeroCount', 'fixed64'),
  8: one('positive', () => exponentialBuckets),
  9: one('negative', () => exponentialBuckets),
  10: one('flags', 'uint'),
  11: many('exemplars', () => exemplar),
  12: one('min', 'double'),
  13: one('max', 'double'),
  14: one('zeroThreshold', 'double'),
}
const quantileValue: Message = { 1: one('quantile', 'double'), 2: one('value', 'double') }
const summaryPoint: Message = {
  ...times,
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('quantileValues', () => quantileValue),
  7: many('attributes', () => keyValue),
  8: one('flags', 'uint'),
}
const pointsOf = (point: Message): Message => ({ 1: many('dataPoints', () => point) })
const temporality = { 2: one('aggregationTemporality', 'uint') }
const metric: Message = {
  1: one('name', 'string'),
  2: one('description', 'string'),
  3: one('unit', 'string'),
  5: one('gauge', () => pointsOf(numberPoint)),
  7: one('sum', () => ({ ...pointsOf(numberPoint), ...temporality, 3: one('isMonotonic', 'bool') })),
  9: one('histogram', () => ({ ...pointsOf(histogramPoint), ...temporality })),
  10: one('exponentialHistogram', () => ({ ...pointsOf(exponentialPoint), ...temporality })),
  11: one('summary', () => pointsOf(summaryPoint)),
  12: many('metadata', () => keyValue),
}
export const exportMetrics = grouped('resourceMetrics', 'scopeMetrics', 'metrics', () => metric)

const spanEvent: Message = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('name', 'string'),
  3: many('attributes', () => keyValue),
  4: one('droppedAttributesCount', 'uint'),
}
const spanLink: Message = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'string'),
  4: many('attributes', () => keyValue),
  5: one('droppedAttributesCount', 'uint'),
  6: one('flags', 'fixed32'),
}
const spanStatus: Message = { 2: one('message', 'string'), 3: one('code', 'uint') }
const span: Message = {
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'string'),
  4: one('parentSpanId', 'hex'),
  5: one('name', 'string'),
  6: one('kind', 'uint'),
  7: one('startTimeUnixNano', 'fixed64'),
  8: one('endTimeUnixNano', 'fixed64'),
  9: many('attributes', () => keyValue),
  10: one('droppedAttributesCount', 'uint'),
  11: many('events', () => spanEvent),
  12: one('droppedEventsCount', 'uint'),
  13: many('links', () => spanLink),
  14: one('droppedLinksCount', 'uint'),
  15: one('status', () => spanStatus),
  16: one('flags', 'fixed32'),
}
export const exportTraces = grouped('resourceSpans', 'scopeSpans', 'spans', () => span)
