import { LandfallError } from '@landfall/stack'

/** The body of a request, never more than the route's limit. Can be read once. */
export interface BodyBytes extends AsyncIterable<Uint8Array> {
  all(): Promise<Uint8Array<ArrayBuffer>>
}

export function tooLarge(limit: number): LandfallError {
  return new LandfallError({
    code: 'E_BODY_TOO_LARGE',
    message: `The body is larger than the ${limit} bytes that this call takes.`,
    hint: 'Send less in one call.',
  })
}

/**
 * Reads a body up to `limit` bytes. A length that is announced too large is refused before anything is read; one that
 * was not announced is refused as soon as it passes the limit, and the rest is left unread.
 *
 * @throws LandfallError `E_BODY_TOO_LARGE`
 */
export function bodyBytes(request: Request, limit: number): BodyBytes {
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > limit) throw tooLarge(limit)
  const read = async function* (): AsyncGenerator<Uint8Array> {
    if (!request.body) return
    let total = 0
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      total += chunk.byteLength
      if (total > limit) throw tooLarge(limit)
      yield chunk
    }
  }
  return {
    [Symbol.asyncIterator]: read,
    all: async () => {
      const chunks: Uint8Array[] = []
      for await (const chunk of read()) chunks.push(chunk)
      return Uint8Array.from(Buffer.concat(chunks))
    },
  }
}
