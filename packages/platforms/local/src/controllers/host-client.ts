import { lstat } from 'node:fs/promises'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { LandfallError } from '@landfall/stack'
import { ownerHeader } from '../shared/control.ts'
import { fromWire, type WireError } from '../shared/errors.ts'
import type { Places } from '../shared/places.ts'
import { checkAccess, ensureDaemon, type HostCommand } from './daemon.ts'

export interface HostRequest {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: string
  json?: unknown
  bytes?: Uint8Array
  ifMatch?: number
  signal: AbortSignal
}

const startMs = 20_000
const restartMs = 1_000

/** Speaks to the daemon of one directory on behalf of one deployment, and starts it when it does not answer. */
export class HostClient {
  readonly places: Places
  readonly #deployment: string
  readonly #command: HostCommand

  constructor(places: Places, deployment: string, command: HostCommand) {
    this.places = places
    this.#deployment = deployment
    this.#command = command
  }

  /** The answer's JSON; null for `E_NOT_FOUND` on GET. Errors are the daemon's own. */
  async json<T>(request: HostRequest): Promise<T | null> {
    const response = await this.open(request)
    const text = await collect(response)
    return JSON.parse(text) as T | null
  }

  /** The open answer of a successful request, to be read as a stream. */
  async open(request: HostRequest): Promise<http.IncomingMessage> {
    await checkAccess(this.places)
    const response = await this.#sendOrStart(request)
    if (response.statusCode === 200) return response
    const wire = JSON.parse(await collect(response)) as WireError
    throw fromWire(wire)
  }

  /** Like `json`, but a thing that is not there is null. */
  async find<T>(request: HostRequest): Promise<T | null> {
    try {
      return await this.json<T>(request)
    } catch (error) {
      if (LandfallError.is(error, 'E_NOT_FOUND')) return null
      throw error
    }
  }

  async #sendOrStart(request: HostRequest): Promise<http.IncomingMessage> {
    const first = await this.#send(request)
    if (first) return first
    const deadline = Date.now() + startMs
    let startAt = Date.now()
    for (let wait = 20; Date.now() < deadline; wait = Math.min(wait * 1.5, 250)) {
      // Again and again: one that is just ending still holds the lock, and ours gives way to it.
      if (Date.now() >= startAt) {
        ensureDaemon(this.places, this.#command)
        startAt = Date.now() + restartMs
      }
      await sleep(wait, undefined, { signal: request.signal })
      const response = await this.#send(request)
      if (response) return response
    }
    throw new LandfallError({
      code: 'E_HOST_UNREACHABLE',
      message: `The host daemon of ${this.places.directory} does not answer.`,
      hint: `Read ${this.places.log}.`,
      retryable: true,
    })
  }

  /** Null when nobody answers on the socket. */
  async #send(request: HostRequest): Promise<http.IncomingMessage | null> {
    const socket = await lstat(this.places.socket).catch(() => null)
    if (!socket) return null
    // A socket in the temporary directory could be somebody else's.
    if (process.getuid !== undefined && socket.uid !== process.getuid()) return null
    const body = request.bytes ?? (request.json === undefined ? null : Buffer.from(JSON.stringify(request.json)))
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage | null>()
    const call = http.request({
      socketPath: this.places.socket,
      agent: false,
      method: request.method,
      path: request.path,
      headers: {
        [ownerHeader]: this.#deployment,
        ...(body && { 'content-length': body.length }),
        ...(request.ifMatch !== undefined && { 'if-match': `"${request.ifMatch}"` }),
      },
      signal: request.signal,
    })
    call.once('response', resolve)
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')) resolve(null)
      else if (request.signal.aborted) reject(request.signal.reason)
      else reject(broken(error))
    })
    call.end(body ?? undefined)
    return promise
  }
}

function broken(cause: Error): LandfallError {
  return new LandfallError({
    code: 'E_HOST_UNREACHABLE',
    message: `The host daemon broke the connection: ${cause.message}.`,
    hint: 'It is started again at the next step.',
    retryable: true,
    cause,
  })
}

async function collect(response: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  } catch (error) {
    throw broken(error as Error)
  }
  return Buffer.concat(parts).toString('utf8')
}
