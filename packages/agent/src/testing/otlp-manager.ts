import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Uplink } from '../telemetry/uplink.ts'

export interface Got {
  path: string
  type: string
  body: string
}

/** What an answer to the n-th request is: a status, or nothing at all; `own`: with a problem document. */
export type Answering = (got: Got, count: number) => { status: number; own?: boolean; after?: number } | 'hang-up'

/** A real HTTP server where the manager's intake would be, that answers as it is told. */
export async function otlpManager(answering: Answering = () => ({ status: 200 })) {
  const got: Got[] = []
  const state = { answering }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const raw = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      const one = { path: request.url ?? '', type: request.headers['content-type'] ?? '', body: body.toString() }
      got.push(one)
      const answer = state.answering(one, got.length)
      if (answer === 'hang-up') return void request.socket.destroy()
      const type = answer.own ? 'application/problem+json' : 'text/html'
      response.writeHead(answer.status, {
        'content-type': type,
        ...(answer.after === undefined ? {} : { 'retry-after': String(answer.after) }),
      })
      response.end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    got,
    state,
    uplink: fetchUplink(url),
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

export function fetchUplink(url: string, token?: string): Uplink {
  return {
    async post(signal, body, headers, abort) {
      const response = await fetch(`${url}/v1/${signal}`, {
        method: 'POST',
        headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        body: body as Uint8Array<ArrayBuffer>,
        signal: abort,
      })
      await response.body?.cancel()
      const after = Number(response.headers.get('retry-after') ?? Number.NaN)
      return {
        status: response.status,
        retryAfterMs: Number.isFinite(after) ? after * 1_000 : null,
        own: response.headers.get('content-type')?.startsWith('application/problem+json') ?? false,
      }
    },
  }
}
