import type { ServerResponse } from 'node:http'

/** Answers with a problem document (RFC 9457) that also carries our code and hint. */
export function sendProblem(
  response: ServerResponse,
  status: number,
  problem: { code: string; message: string; hint: string },
  headers: Record<string, string> = {},
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify({ type: `urn:landfall:${problem.code}`, title: problem.message, status, ...problem })
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  response.end(body)
}
