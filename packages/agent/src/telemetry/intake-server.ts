import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { exportAnswer, type Signal } from '@landfall/telemetry'
import type { Intake } from './intake.ts'

const maxBody = 8 * 1024 * 1024
/** Of all requests together. */
const maxInFlight = 24 * 1024 * 1024
const maxConnections = 128
const statuses: Record<string, number> = { E_OTLP_MALFORMED: 400, E_OTLP_ENCODING: 415, E_OTLP_TOO_LARGE: 413 }

export interface IntakeServer {
  port: number
  close(): Promise<void>
}

/**
 * OTLP/HTTP for the workers of this machine: on 127.0.0.1 alone, each request with the deployment's token, bodies bounded one by one
 * and together. What can't be taken now is answered 503 with a Retry-After, which exporters obey.
 *
 * @param port where it was before, so that workers that run find it again; another one when that is taken
 */
export async function startIntakeServer(options: {
  intake: Intake
  token: string
  port: number
  log: Log
}): Promise<IntakeServer> {
  const { intake, log } = options
  const expected = Buffer.from(`Bearer ${options.token}`)
  let inFlight = 0
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const signal = signalOf(request)
    if (!signal) return refuse(response, 404, 'There is only POST /v1/logs, /v1/metrics and /v1/traces.')
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return refuse(response, 401, 'The token of the deployment is missing.')
    }
    let held = 0
    try {
      const parts: Buffer[] = []
      for await (const part of request as AsyncIterable<Buffer>) {
        held += part.length
        inFlight += part.length
        if (held > maxBody) return refuse(response, 413, `A request has at most ${maxBody} bytes.`)
        if (inFlight > maxInFlight) return refuse(response, 503, 'Too much at once.')
        parts.push(part)
      }
      const { 'content-type': type, 'content-encoding': encoding } = request.headers
      const answer = exportAnswer(await intake.take(signal, Buffer.concat(parts), type, encoding))
      response.writeHead(200, Object.fromEntries(answer.headers))
      response.end(Buffer.from(await answer.arrayBuffer()))
    } finally {
      inFlight -= held
    }
  }
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const status = LandfallError.is(error) ? statuses[error.code] : undefined
      if (status === undefined && !request.destroyed) log.warn('Telemetry could not be taken', { error: String(error) })
      refuse(response, status ?? 503, status === undefined ? 'Not now.' : String((error as Error).message))
    })
  })
  server.maxConnections = maxConnections
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.on('clientError', (_, socket) => socket.destroy())
  await listen(server, options.port)
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

function signalOf({ method, url }: IncomingMessage): Signal | null {
  const [, signal] = /^\/v1\/(logs|metrics|traces)$/.exec(url ?? '') ?? []
  return method === 'POST' && signal ? (signal as Signal) : null
}

/** Closes the connection too, so that a body that nobody reads is not sent any further. */
function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent || response.destroyed) return
  const headers = { 'content-type': 'text/plain', connection: 'close' }
  response.writeHead(status, status === 503 ? { ...headers, 'retry-after': '2' } : headers).end(`${why}\n`)
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await bind(server, port)
  } catch (error) {
    if (port === 0 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    await bind(server, 0)
  }
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
