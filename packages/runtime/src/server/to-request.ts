import type { IncomingMessage } from 'node:http'
import { RuntimeError } from '../errors/runtime-error.ts'

/** Methods whose requests have no body in the Fetch standard. */
const bodiless = new Set(['GET', 'HEAD'])

/**
 * The web-standard request of a request of `node:http`. Its body streams, and ends with `E_BODY_TOO_LARGE` above `maxBodyBytes`.
 * @throws RuntimeError `E_BAD_REQUEST` when there is no valid address or method in it.
 */
export function toRequest(incoming: IncomingMessage, signal: AbortSignal, maxBodyBytes: number): Request {
  const method = incoming.method ?? 'GET'
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = incoming.rawHeaders.slice(i, i + 2)
    try {
      headers.append(name, value)
    } catch {
      throw badRequest(`has a header that is not valid`)
    }
  }
  const forwarded = headers.get('x-forwarded-proto')
  const scheme = forwarded === 'https' ? 'https' : 'http'
  const path = incoming.url?.startsWith('/') ? incoming.url : '/'
  const url = `${scheme}://${headers.get('host') ?? 'localhost'}${path}`
  if (!URL.canParse(url)) throw badRequest('has no valid host or path')
  const init = { method, headers, signal }
  try {
    if (bodiless.has(method)) return new Request(url, init)
    return new Request(url, { ...init, body: bodyOf(incoming, maxBodyBytes), duplex: 'half' })
  } catch {
    throw badRequest(`has the method ${method}, which is not supported`)
  }
}

function bodyOf(incoming: IncomingMessage, maxBytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]()
  let bytes = 0
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) return controller.close()
        bytes += value.byteLength
        if (bytes > maxBytes) throw bodyTooLarge(maxBytes)
        controller.enqueue(new Uint8Array(value))
      },
      cancel: () => {
        incoming.resume()
      },
    },
    // Nothing is read before the code asks for it, so that the sender is slowed down and not the memory filled.
    { highWaterMark: 0 },
  )
}

export const bodyTooLarge = (maxBytes: number) =>
  new RuntimeError({
    code: 'E_BODY_TOO_LARGE',
    message: `The request's body is larger than ${maxBytes} bytes.`,
    hint: 'Send less, or raise `maxBodyBytes` in what the worker exports.',
  })

const badRequest = (what: string) =>
  new RuntimeError({
    code: 'E_BAD_REQUEST',
    message: `The request ${what}.`,
    hint: 'Correct the request and send it again.',
  })
