import { LandfallError } from '@landfall/stack'
import { decodeProtobuf } from './decode-protobuf.ts'
import { malformed } from './malformed.ts'
import { exportLogs, exportMetrics, exportTraces } from './messages.ts'
import type { Encoding } from './read-body.ts'
import { logsRequest, metricsRequest, tracesRequest } from './schema.ts'
import { type Identity, stampJson, stampProtobuf } from './stamp.ts'

export type Signal = 'logs' | 'metrics' | 'traces'

const lists = { logs: 'resourceLogs', metrics: 'resourceMetrics', traces: 'resourceSpans' } as const
const messages = { logs: exportLogs, metrics: exportMetrics, traces: exportTraces } as const
const schemas = { logs: logsRequest, metrics: metricsRequest, traces: tracesRequest } as const

export interface ParsedRequest {
  /** In OTLP's JSON shape, not checked yet. */
  request: Record<string, unknown>
  /** The request with the sender's identity stamped on, in the encoding it came in. */
  stamped: Uint8Array
}

/** Decodes and stamps one export request. @throws LandfallError `E_OTLP_MALFORMED` */
export function parseRequest(bytes: Uint8Array, encoding: Encoding, signal: Signal, identity: Identity): ParsedRequest {
  try {
    if (encoding === 'json') return parseJson(bytes, signal, identity)
    const stamped = stampProtobuf(bytes, identity)
    return { request: decodeProtobuf(stamped, messages[signal]), stamped }
  } catch (cause) {
    throw LandfallError.is(cause) ? cause : malformed('it is not what its content type says', cause)
  }
}

/**
 * Whether a request has the form that OTLP gives it, so that it is refused where it is made and not later, by somebody far away.
 * @throws LandfallError `E_OTLP_MALFORMED`
 */
export function checkRequest(request: unknown, signal: Signal): void {
  const result = schemas[signal].safeParse(request)
  if (!result.success) throw malformed('its fields have another form than OTLP gives them', result.error)
}

/** A request, in whichever encoding, as one line of OTLP/JSON. @throws LandfallError `E_OTLP_MALFORMED` */
export function toJsonLine(bytes: Uint8Array, encoding: Encoding, signal: Signal): string {
  // What came as JSON may hold line breaks between its tokens.
  return JSON.stringify(encoding === 'json' ? objectOf(bytes) : decodeProtobuf(bytes, messages[signal]))
}

function parseJson(bytes: Uint8Array, signal: Signal, identity: Identity): ParsedRequest {
  const request = stampJson(objectOf(bytes), lists[signal], identity)
  return { request, stamped: new TextEncoder().encode(JSON.stringify(request)) }
}

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw malformed('it is not an object')
  return parsed as Record<string, unknown>
}
