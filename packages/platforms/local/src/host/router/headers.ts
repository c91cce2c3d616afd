import type { IncomingMessage } from 'node:http'

/** Hop-by-hop headers (RFC 9110, 7.6.1) and those that we set ourselves. */
const ours = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'landfall-version'],
])

/** Raw headers to send on, without those of the connection; pairs keep their order and their repetitions. */
export function endToEnd(raw: readonly string[], drop: readonly string[] = []): string[] {
  const named = connectionTokens(raw)
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]]
    const lower = name.toLowerCase()
    if (!ours.has(lower) && !named.has(lower) && !drop.includes(lower)) kept.push(name, value)
  }
  return kept
}

/** Headers of a request to a worker. */
export function forwarded(request: IncomingMessage, drop: readonly string[] = []): string[] {
  const headers = endToEnd(request.rawHeaders, drop)
  const before = request.headers['x-forwarded-for']
  const peer = request.socket.remoteAddress ?? 'unknown'
  headers.push('x-forwarded-for', before ? `${before}, ${peer}` : peer)
  headers.push('x-forwarded-proto', 'http')
  if (request.headers.host) headers.push('x-forwarded-host', request.headers.host)
  if (request.headers['transfer-encoding']) headers.push('transfer-encoding', 'chunked')
  return headers
}

function connectionTokens(raw: readonly string[]): Set<string> {
  const tokens = new Set<string>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue
    for (const token of raw[at + 1]?.split(',') ?? []) tokens.add(token.trim().toLowerCase())
  }
  return tokens
}
