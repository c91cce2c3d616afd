import { readFile } from 'node:fs/promises'
import { getCACertificates } from 'node:tls'
import { LandfallError } from '@landfall/stack'
import type { Dispatcher } from 'undici'
import { proxyFor } from './proxy.ts'

export interface TransportOptions {
  url: string
  caFile?: string
  proxy?: string
  env?: Readonly<Record<string, string | undefined>>
}

export interface Call {
  method: 'GET' | 'POST'
  path: string
  token?: string
  /** JSON, unless it is bytes. */
  body?: unknown
  headers?: Record<string, string>
  /** Until the answer begins, and between two pieces of it. Milliseconds. */
  timeoutMs: number
  signal: AbortSignal
}

export interface Answer {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: AsyncIterable<Uint8Array>
}

/** HTTP to one manager: straight or through a proxy, with private authorities, each wait with an end. */
export interface Transport {
  /** @throws LandfallError `E_UNREACHABLE` when no answer came */
  send(call: Call): Promise<Answer>
  close(): Promise<void>
}

const connectMs = 10_000
/** Below what proxies and load balancers usually keep, so that a dead connection is not what a request meets. */
const keepAliveMs = 20_000

/**
 * @throws LandfallError `E_SYNC_CA` when the file of authorities can't be read
 */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const base = new URL(options.url)
  const ca = options.caFile === undefined ? undefined : await authorities(options.caFile)
  // Loaded only by an agent that syncs: it is the largest thing that an idle one would hold.
  const undici = await import('undici')
  const proxy = options.proxy ?? proxyFor(base, options.env ?? process.env)
  const tls = { timeout: connectMs, ...(ca && { ca }) }
  const common = { keepAliveTimeout: keepAliveMs, keepAliveMaxTimeout: keepAliveMs, connections: 8 }
  const dispatcher: Dispatcher = proxy
    ? new undici.ProxyAgent({ ...common, uri: proxy, requestTls: tls, proxyTls: tls, ...tokenOf(proxy) })
    : new undici.Agent({ ...common, connect: tls })
  return {
    async send({ method, path, token, body, headers, timeoutMs, signal }) {
      try {
        const response = await undici.request(`${base.href.replace(/\/$/, '')}${path}`, {
          dispatcher,
          method,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          signal,
          headers: {
            accept: 'application/json',
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          body: body === undefined ? null : body instanceof Uint8Array ? body : JSON.stringify(body),
        })
        return { status: response.statusCode, headers: response.headers, body: whole(response.body, base) }
      } catch (cause) {
        throw unreachable(base, cause)
      }
    },
    close: () => dispatcher.destroy(),
  }
}

/** undici takes credentials from an address only where both halves are there. */
function tokenOf(proxy: string): { token?: string } {
  const { username, password } = new URL(proxy)
  if (username === '' || password !== '') return {}
  return { token: `Basic ${Buffer.from(`${decodeURIComponent(username)}:`).toString('base64')}` }
}

async function* whole(body: AsyncIterable<Uint8Array>, base: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw unreachable(base, cause)
  }
}

async function authorities(file: string): Promise<string[]> {
  const pem = await readFile(file, 'utf8').catch(() => '')
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new LandfallError({
      code: 'E_SYNC_CA',
      message: `${file} holds no certificates that can be read.`,
      hint: 'Give a file with the certificates of the authorities in PEM.',
    })
  }
  return [...getCACertificates('default'), pem]
}

/** Says what stands in the way without an address that may hold credentials: the manager's host alone. */
function unreachable(base: URL, cause: unknown): LandfallError {
  return new LandfallError({
    code: 'E_UNREACHABLE',
    message: `The manager at ${base.host} did not answer${reasonOf(cause)}.`,
    hint: 'The agent goes on with what it has and asks again by itself. If it stays: check network, proxy and certificates.',
    retryable: true,
    cause,
  })
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  const inner = cause.cause instanceof Error && 'code' in cause.cause ? `, ${String(cause.cause.code)}` : ''
  const tunnel = /Proxy (?:response|Authentication Required) \((\d+)\)/.exec(cause.message)
  return tunnel ? `: the proxy refused with ${tunnel[1]}` : `: ${code}${inner}`
}
