import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** Statuses whose answers have no body. */
const bodiless = new Set([204, 205, 304])

/**
 * Writes a web-standard response, streaming, as fast as the client reads. Resolves when all is handed over. A body that fails
 * midway cuts the connection, so that the client does not take half of it for all.
 * @throws what the body's stream throws, or the signal's reason
 */
export async function sendResponse(
  response: Response,
  out: ServerResponse,
  signal: AbortSignal,
  head: boolean,
): Promise<void> {
  out.statusCode = response.status
  if (response.statusText) out.statusMessage = response.statusText.replace(/[^\t\x20-\x7e]/g, '')
  for (const [name, value] of response.headers) if (name !== 'set-cookie') out.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) out.setHeader('set-cookie', cookies)

  if (!response.body || head || bodiless.has(response.status)) {
    await response.body?.cancel()
    out.end()
    return
  }
  const reader = response.body.getReader()
  const stop = () => void reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    // The status is sent before the first byte of the body is there: an event stream may be silent for long.
    out.flushHeaders()
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) break
      if (!out.write(value)) await once(out, 'drain', { signal })
    }
    out.end()
  } catch (error) {
    stop()
    out.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
