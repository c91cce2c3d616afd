import { onlyErrors } from './only-errors.ts'
import type { ParsedRequest, Signal } from './parse-request.ts'
import type { Encoding } from './read-body.ts'

/** What a customer says about telemetry: `CustomerSettings['telemetry']` of @landfall/stack. */
export type TelemetryPolicy = 'on' | 'errors-only' | 'off'

export interface Passed {
  encoding: Encoding
  bytes: Uint8Array
  request: Record<string, unknown>
}

/** What of a request may leave the customer's site; null: nothing. What is filtered is written anew, as JSON. */
export function letPass(
  policy: TelemetryPolicy,
  signal: Signal,
  encoding: Encoding,
  parsed: ParsedRequest,
): Passed | null {
  if (policy === 'off') return null
  if (policy === 'on') return { encoding, bytes: parsed.stamped, request: parsed.request }
  const errors = onlyErrors(parsed.request, signal)
  return errors && { encoding: 'json', bytes: new TextEncoder().encode(JSON.stringify(errors)), request: errors }
}
