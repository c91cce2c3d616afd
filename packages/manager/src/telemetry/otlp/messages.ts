/**
 * The messages of OTLP that are read here, by field number: opentelemetry-proto v1 (common, resource, logs, metrics). Fields
 * that are not named are skipped. The names are those of OTLP's JSON encoding, so that both encodings decode to one shape.
 */
export type Kind =
  | 'string'
  | 'bool'
  /** varint, as a number: enums, counts. */
  | 'uint'
  /** int64 varint, as a decimal string as in JSON. */
  | 'int64'
  /** fixed64 and sfixed64, as a decimal string as in JSON. */
  | 'fixed64'
  | 'sfixed64'
  | 'double'
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
const resource: Message = { 1: many('attributes', () => keyValue) }

const logRecord: Message = {
  1: one('timeUnixNano', 'fixed64'),
  2: one('severityNumber', 'uint'),
  3: one('severityText', 'string'),
  5: one('body', () => anyValue),
  6: many('attributes', () => keyValue),
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'fixed64'),
}
const scopeLogs: Message = { 2: many('logRecords', () => logRecord) }
const resourceLogs: Message = { 1: one('resource', () => resource), 2: many('scopeLogs', () => scopeLogs) }
export const exportLogs: Message = { 1: many('resourceLogs', () => resourceLogs) }

const numberPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('asDouble', 'double'),
  6: one('asInt', 'sfixed64'),
  7: many('attributes', () => keyValue),
}
const histogramPoint: Message = {
  2: one('startTimeUnixNano', 'fixed64'),
  3: one('timeUnixNano', 'fixed64'),
  4: one('count', 'fixed64'),
  5: one('sum', 'double'),
  6: many('bucketCounts', 'fixed64'),
  7: many('explicitBounds', 'double'),
  9: many('attributes', () => keyValue),
}
const gauge: Message = { 1: many('dataPoints', () => numberPoint) }
const sum: Message = { ...gauge, 2: one('aggregationTemporality', 'uint'), 3: one('isMonotonic', 'bool') }
const histogram: Message = { 1: many('dataPoints', () => histogramPoint), 2: one('aggregationTemporality', 'uint') }
const metric: Message = {
  1: one('name', 'string'),
  3: one('unit', 'string'),
  5: one('gauge', () => gauge),
  7: one('sum', () => sum),
  9: one('histogram', () => histogram),
}
const scopeMetrics: Message = { 2: many('metrics', () => metric) }
const resourceMetrics: Message = { 1: one('resource', () => resource), 2: many('scopeMetrics', () => scopeMetrics) }
export const exportMetrics: Message = { 1: many('resourceMetrics', () => resourceMetrics) }
