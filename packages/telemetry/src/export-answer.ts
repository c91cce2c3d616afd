import type { Encoding } from './read-body.ts'

const message = 'some records are older than telemetry is kept for'

/**
 * The answer to an export request, in the encoding it came in: an `Export…ServiceResponse`, empty on full success, else with
 * `partial_success` (field 1: rejected records, field 2: why), which is the same in all three signals but for a name in JSON.
 */
export function exportAnswer(taken: { encoding: Encoding; rejected: number }): Response {
  if (taken.encoding === 'json') {
    // The three signals name the count differently; a receiver reads the one it knows.
    const rejected = String(taken.rejected)
    const counts = { rejectedLogRecords: rejected, rejectedDataPoints: rejected, rejectedSpans: rejected }
    const body = taken.rejected === 0 ? {} : { partialSuccess: { ...counts, errorMessage: message } }
    return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
  }
  const headers = { 'content-type': 'application/x-protobuf' }
  if (taken.rejected === 0) return new Response(new Uint8Array(), { headers })
  const why = new TextEncoder().encode(message)
  const inner = [0x08, ...varint(taken.rejected), 0x12, ...varint(why.length), ...why]
  return new Response(Uint8Array.from([0x0a, ...varint(inner.length), ...inner]), { headers })
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}
