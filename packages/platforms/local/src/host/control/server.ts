import { existsSync } from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { ownerHeader } from '../../shared/control.ts'
import { accessRevoked, foreign, notFound, toWire } from '../../shared/errors.ts'
import type { Host } from '../host.ts'

export interface Call {
  host: Host
  request: IncomingMessage
  response: ServerResponse
  /** What the path's parentheses caught, percent-decoded. */
  parts: readonly string[]
  query: URLSearchParams
  /** Revision that must still hold; null when the caller does not care. */
  ifMatch: number | null
}

export interface Route {
  method: string
  path: RegExp
  /** Answers with what is returned, as JSON; `undefined` when it has answered itself. */
  handle(call: Call): Promise<unknown> | unknown
}

const statuses: Record<string, number> = {
  E_FOREIGN: 409,
  E_ACCESS_REVOKED: 403,
  E_PRECONDITION_FAILED: 412,
  E_NOT_FOUND: 404,
  E_HOST_INTERNAL: 500,
}

/** The control API; see the README for its routes. Only this machine's same user reaches the socket. */
export function createControlServer(host: Host, routes: readonly Route[]): http.Server {
  return http.createServer((request, response) => {
    request.on('error', () => {})
    response.on('error', () => {})
    void answer(host, routes, request, response).catch((error: unknown) => {
      const wire = toWire(error)
      if (wire.code === 'E_HOST_INTERNAL') console.error(new Date().toISOString(), error)
      if (response.headersSent) return response.destroy()
      response.writeHead(statuses[wire.code] ?? 400, { 'content-type': 'application/json' })
      response.end(JSON.stringify(wire))
    })
  })
}

async function answer(
  host: Host,
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://host')
  const owner = host.store.meta('deployment')
  const asks = request.headers[ownerHeader]
  if (owner !== null && asks !== owner) throw foreign(owner)
  if (request.method !== 'GET' && !existsSync(host.places.access)) throw accessRevoked(host.places.directory)
  for (const route of routes) {
    const match = route.path.exec(url.pathname)
    if (route.method !== request.method || !match) continue
    const parts = match.slice(1).map((part) => decodeURIComponent(part))
    const raw = request.headers['if-match']
    const ifMatch = raw === undefined ? null : Number(raw.replaceAll('"', ''))
    const result = await route.handle({ host, request, response, parts, query: url.searchParams, ifMatch })
    if (result === undefined) return
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(result))
    return
  }
  throw notFound(`route ${request.method} ${url.pathname}`)
}

const maxJson = 8 * 1024 * 1024
const maxArtifact = 512 * 1024 * 1024

export async function readJson<T>(request: IncomingMessage): Promise<T> {
  return JSON.parse((await readBody(request, maxJson)).toString('utf8')) as T
}

/** The whole body; throws `RangeError` beyond `max` bytes. */
export async function readBody(request: IncomingMessage, max = maxArtifact): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > max) throw new RangeError(`the body is larger than ${max} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
