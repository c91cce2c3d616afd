export { plainAttributes, plainValue, textAttribute } from './attributes.ts'
export { Endpoint, type EndpointCounters, type Parcel } from './endpoint.ts'
export { exportAnswer } from './export-answer.ts'
export { letPass, type Passed, type TelemetryPolicy } from './let-pass.ts'
export { malformed } from './malformed.ts'
export { isFailed, onlyErrors, recordCount } from './only-errors.ts'
export { checkRequest, type ParsedRequest, parseRequest, type Signal, toJsonLine } from './parse-request.ts'
export { type Encoding, readBody } from './read-body.ts'
export {
  type KeyValue,
  logsRequest,
  metricsRequest,
  type OtlpLogRecord,
  type OtlpMetric,
  type OtlpSpan,
  tracesRequest,
} from './schema.ts'
export { isError, type Severity, severities, severityName, severityNumber, severityOf } from './severity.ts'
export type { Identity } from './stamp.ts'
