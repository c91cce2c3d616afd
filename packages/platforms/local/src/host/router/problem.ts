import { type ServerResponse, STATUS_CODES } from 'node:http'

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
  // Named here: a response keeps the reason of a head that was refused, and would refuse this one for it.
  response.writeHead(status, STATUS_CODES[status] ?? 'Error', {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  })
  response.end(body)
}
