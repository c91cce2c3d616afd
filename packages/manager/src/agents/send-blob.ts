import { Readable } from 'node:stream'
import { LandfallError } from '@landfall/stack'

/**
 * Content as an answer, from where the caller's `Range: bytes=N-` goes on (RFC 9110, 14.2). Other forms of a range are ignored, as the
 * standard allows: then all of it is sent.
 *
 * @throws LandfallError `E_INVALID_REQUEST` for a start behind the end
 */
export function sendBlob(
  blob: { size: number; from(byte: number): AsyncGenerator<Buffer> },
  digest: string,
  range: string | null,
): Response {
  const start = Number(/^bytes=(\d{1,15})-$/.exec(range ?? '')?.[1] ?? 0)
  if (start > blob.size || (start === blob.size && start > 0)) {
    throw new LandfallError({
      code: 'E_INVALID_REQUEST',
      message: `The range begins at ${start}, behind the end of the ${blob.size} bytes.`,
      hint: 'What is there is complete, or is not this content: check its digest, else begin again.',
    })
  }
  const stream = Readable.toWeb(Readable.from(blob.from(start))) as ReadableStream<Uint8Array>
  return new Response(stream, {
    status: start > 0 ? 206 : 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(blob.size - start),
      'accept-ranges': 'bytes',
      ...(start > 0 ? { 'content-range': `bytes ${start}-${blob.size - 1}/${blob.size}` } : {}),
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${digest}"`,
    },
  })
}
