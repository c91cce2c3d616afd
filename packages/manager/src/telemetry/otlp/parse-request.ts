import { LandfallError } from '@landfall/stack'
import { decodeProtobuf } from './decode-protobuf.ts'
import { malformed } from './malformed.ts'
import { exportLogs, exportMetrics } from './messages.ts'
import type { Encoding } from './read-body.ts'
import { type Identity, stampJson, stampProtobuf } from './stamp.ts'

export type Signal = 'logs' | 'metrics' | 'traces'

const lists = { logs: 'resourceLogs', metrics: 'resourceMetrics', traces: 'resourceSpans' } as const

export interface ParsedRequest {
  /** In OTLP's JSON shape; null for traces, which are only sent on. */
  request: Record<string, unknown> | null
  /** The request with the sender's identity stamped on, in the encoding it came in. */
  stamped: Uint8Array
}

/** Decodes and stamps one export request. @throws LandfallError `E_OTLP_MALFORMED` */
export function parseRequest(bytes: Uint8Array, encoding: Encoding, signal: Signal, identity: Identity): ParsedRequest {
  try {
    if (encoding === 'json') return parseJson(bytes, signal, identity)
    const stamped = stampProtobuf(bytes, identity)
    if (signal === 'traces') return { request: null, stamped }
    return { request: decodeProtobuf(stamped, signal === 'logs' ? exportLogs : exportMetrics), stamped }
  } catch (cause) {
    throw LandfallError.is(cause) ? cause : malformed('it is not what its content type says', cause)
  }
}

function parseJson(bytes: Uint8Array, signal: Signal, identity: Identity): ParsedRequest {
  const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw malformed('it is not an object')
  const request = stampJson(parsed as Record<string, unknown>, lists[signal], identity)
  return { request: signal === 'traces' ? null : request, stamped: new TextEncoder().encode(JSON.stringify(request)) }
}
