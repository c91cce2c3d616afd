import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LandfallError, toProblem } from '@landfall/stack'
import type { Agent } from '../agent.ts'
import { type Access, requireAccess } from './guard.ts'
import { handle } from './handle.ts'
import { statusOf } from './status-of.ts'
import { uploadArea } from './upload.ts'

export type LocalAddress = { socket: string } | { port: number; token: string }

export interface LocalApi {
  /** Path of the socket, or the address of the port. */
  address: string
  /** Takes nothing new, lets what is under way end for at most `deadlineMs`, then cuts it. */
  stop(deadlineMs: number): Promise<void>
}

export interface LocalApiOptions {
  agent: Agent
  /** The agent's directory: uploads lie there until they are imported. */
  data: string
  at: LocalAddress
  /** An error that is not a refusal: for the agent's log. */
  onError?: (error: unknown) => void
}

/** More at once wait in the kernel; a person and a script or two is what there is. */
const maxConnections = 64
const drainMs = 2_000
/** What a Unix socket's name may have (108 bytes with its end, see unix(7); 104 on macOS). */
const maxSocketPath = 103

/**
 * Serves the agent's local API: on a Unix socket, where reaching the file (mode 0660, and its directory) is the permission, or on
 * 127.0.0.1 with a bearer token. Take the agent's lock first: an old socket is taken away.
 *
 * @throws LandfallError `E_AGENT_SOCKET`, `E_PORT_IN_USE`
 */
export async function serveLocalApi({ agent, data, at, onError }: LocalApiOptions): Promise<LocalApi> {
  const area = uploadArea(data)
  let access: Access = { kind: 'socket' }
  const server = createServer({ requestTimeout: 0, headersTimeout: 10_000 }, (request, response) => {
    void answer(request, response, async () => {
      requireAccess(request, access)
      await handle(request, response, { agent, area })
    }).catch((error: unknown) => onError?.(error))
  })
  server.maxConnections = maxConnections
  server.on('clientError', (_error, socket) => socket.destroy())
  if ('socket' in at) await listenAt(server, at.socket)
  else {
    await listening(server, () => server.listen(at.port, '127.0.0.1'), `127.0.0.1:${at.port}`)
    access = { kind: 'port', port: (server.address() as AddressInfo).port, token: at.token }
  }
  return {
    address: access.kind === 'port' ? `http://127.0.0.1:${access.port}` : 'socket' in at ? at.socket : '',
    stop: (deadlineMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }

  async function answer(request: IncomingMessage, response: ServerResponse, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!LandfallError.is(error)) onError?.(error)
      if (response.headersSent) return void response.destroy()
      if (!request.complete) await drained(request)
      const status = statusOf(error)
      const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
      response.writeHead(status, request.complete ? headers : { ...headers, connection: 'close' })
      response.end(JSON.stringify(toProblem(error, status)))
    }
  }
}

/**
 * Throws away what is left of a refused body, for a moment: an answer that comes while the other side still sends is lost with the
 * connection.
 */
function drained(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(resolve, drainMs)
    request.once('close', () => {
      clearTimeout(cut)
      resolve()
    })
    request.resume()
  })
}

async function listenAt(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxSocketPath) {
    throw new LandfallError({
      code: 'E_AGENT_SOCKET',
      message: `The path of the socket is too long for the system: ${path}.`,
      hint: `Give a shorter one (at most ${maxSocketPath} bytes) with --socket.`,
    })
  }
  const old = lstatSync(path, { throwIfNoEntry: false })
  if (old && !old.isSocket()) {
    throw new LandfallError({
      code: 'E_AGENT_SOCKET',
      message: `At ${path} is something that is not a socket.`,
      hint: 'Give another path with --socket. It was left as it is.',
    })
  }
  rmSync(path, { force: true })
  // The name appears in the call itself, so nobody can reach it with wider permissions in between.
  const mask = process.umask(0o117)
  try {
    await listening(server, () => server.listen(path), path)
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o660)
}

function listening(server: Server, begin: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE'
      reject(
        new LandfallError({
          code: inUse ? 'E_PORT_IN_USE' : 'E_AGENT_SOCKET',
          message: `The local API can not listen at ${where} (${cause.code ?? cause.message}).`,
          hint: inUse
            ? 'Give another port with --listen.'
            : 'Check that its directory is there and the agent may write in it, or give another path with --socket.',
          cause,
        }),
      )
    })
    server.once('listening', () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      resolve()
    })
    begin()
  })
}
