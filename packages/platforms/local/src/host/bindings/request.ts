import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, tooLarge, unmet } from './refusal.ts'

export interface BindingRequest {
  resource: string
  request: IncomingMessage
  response: ServerResponse
  /** Percent-decoded parts of the path below the binding's address. */
  path: readonly string[]
  query: URLSearchParams
}

/** `If-Match` and `If-None-Match: *` (RFC 9110, 13.1) against what is there now; `etag` is null when nothing is. */
export function checkPreconditions(headers: IncomingHttpHeaders, etag: string | null): void {
  const match = headers['if-match']
  if (match !== undefined && (etag === null || (match !== '*' && !listed(match, etag)))) throw unmet()
  const none = headers['if-none-match']
  if (none !== undefined && etag !== null && (none === '*' || listed(none, etag))) throw unmet()
}

function listed(header: string, etag: string): boolean {
  return header.split(',').some((one) => one.trim() === etag)
}

/** The whole body; refuses with 413 beyond `limit` bytes. */
export async function readLimited(request: IncomingMessage, limit: number, what: string): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size <= limit) parts.push(part)
  }
  if (size > limit) throw tooLarge(what, `${limit / 1024} KiB`)
  return Buffer.concat(parts)
}

const maxPage = 1_000

export function page(query: URLSearchParams): { prefix: string; after: string; limit: number } {
  const limit = Number(query.get('limit') ?? maxPage)
  if (!Number.isInteger(limit) || limit < 1) throw badRequest('`limit` must be a whole number from 1.')
  return { prefix: query.get('prefix') ?? '', after: query.get('after') ?? '', limit: Math.min(limit, maxPage) }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}
