import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LandfallError } from '@landfall/stack'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

export interface Listening {
  port: number
  /** Calls go here from now; before, everything is answered with 503 and "starting". */
  serve(listener: Listener): void
  /** Takes nothing new, lets calls under way end for at most `deadlineMs`, then cuts what is left. */
  stop(deadlineMs: number): Promise<void>
}

/**
 * Takes the port first, so that a port in use is told before anything else is begun.
 *
 * @throws LandfallError `E_PORT_IN_USE`
 */
export async function listen(host: string, port: number): Promise<Listening> {
  let listener: Listener = starting
  const server: Server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 60_000 }, (request, response) => {
    listener(request, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refused(error, host, port)))
    server.listen(port, host, () => resolve())
  })
  server.on('error', () => {})
  return {
    port: (server.address() as AddressInfo).port,
    serve: (next) => {
      listener = next
    },
    stop: (deadlineMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
        // A connection whose last call ends from now on would be kept for the next one, which is never served.
        const sweep = setInterval(() => server.closeIdleConnections(), 50)
        server.close(() => {
          clearTimeout(cut)
          clearInterval(sweep)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

function starting(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
  response.end(
    JSON.stringify({
      type: 'https://landfall.dev/errors/E_NOT_READY',
      title: 'Not ready',
      status: 503,
      detail: 'The manager is starting.',
      code: 'E_NOT_READY',
      hint: 'Ask again in a moment.',
    }),
  )
}

function refused(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  return new LandfallError({
    code: 'E_PORT_IN_USE',
    message: `The manager cannot listen on ${host}:${port}: ${error.code === 'EACCES' ? 'this user may not' : 'something else does already'}.`,
    hint: 'Choose another port with --port, or end what listens there.',
  })
}
