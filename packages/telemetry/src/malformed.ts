import { LandfallError } from '@landfall/stack'

/** `E_OTLP_MALFORMED`: answered 400, which tells an exporter not to send the same bytes again. */
export function malformed(what: string, cause?: unknown): LandfallError {
  return new LandfallError({
    code: 'E_OTLP_MALFORMED',
    message: `The telemetry can not be read: ${what}.`,
    hint: 'Send OTLP/HTTP with content type application/x-protobuf or application/json, as opentelemetry.io/docs/specs/otlp says.',
    cause,
  })
}
