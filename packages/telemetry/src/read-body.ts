import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { LandfallError } from '@landfall/stack'
import { malformed } from './malformed.ts'

/** What a compressed request may unpack to: a few kilobytes of gzip can otherwise become gigabytes. */
export const maxUnpackedBytes = 33_554_432

export type Encoding = 'protobuf' | 'json'

const unzip = promisify(gunzip)

/**
 * The bytes of an OTLP/HTTP request, unpacked, with their encoding.
 * @throws LandfallError `E_OTLP_ENCODING` (415), `E_OTLP_TOO_LARGE` (413), `E_OTLP_MALFORMED` (400)
 */
export async function readBody(
  body: Uint8Array,
  contentType: string | undefined,
  contentEncoding: string | undefined,
): Promise<{ bytes: Uint8Array; encoding: Encoding }> {
  const encoding = encodingOf(contentType)
  if (contentEncoding === undefined || contentEncoding === 'identity') return { bytes: body, encoding }
  if (contentEncoding !== 'gzip') throw unsupported(`content encoding ${contentEncoding.slice(0, 40)}`)
  try {
    return { bytes: await unzip(body, { maxOutputLength: maxUnpackedBytes }), encoding }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code !== 'ERR_BUFFER_TOO_LARGE') throw malformed('its gzip is damaged', cause)
    throw new LandfallError({
      code: 'E_OTLP_TOO_LARGE',
      message: `The telemetry unpacks to more than ${maxUnpackedBytes} bytes.`,
      hint: 'Send smaller batches: lower the maximum batch size of the exporter.',
    })
  }
}

function encodingOf(contentType: string | undefined): Encoding {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/x-protobuf') return 'protobuf'
  if (type === 'application/json') return 'json'
  throw unsupported(`content type ${(type ?? 'none').slice(0, 60)}`)
}

function unsupported(what: string): LandfallError {
  return new LandfallError({
    code: 'E_OTLP_ENCODING',
    message: `Telemetry with ${what} is not understood.`,
    hint: 'Send application/x-protobuf or application/json, plain or with gzip.',
  })
}
