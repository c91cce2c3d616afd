import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { RawResult, Route } from './route.ts'
import { type Operation, type Routes, routes } from './routes/all.ts'
import { problem } from './schemas/common.ts'

type InputOf<R> =
  R extends Route<infer P, infer Q, infer B, z.ZodType | RawResult>
    ? Clean<{
        params: z.input<P>
        query: z.input<Q>
        body: [B] extends [never] ? Uint8Array | Blob | undefined : z.input<B>
      }>
    : never
/** Drops parts that hold nothing, makes parts optional whose fields all are. */
type Clean<T> = {
  [K in keyof T as Record<never, never> extends T[K] ? never : undefined extends T[K] ? never : K]: T[K]
} & { [K in keyof T as Record<never, never> extends T[K] ? K : undefined extends T[K] ? K : never]?: T[K] }
type ResultOf<R> =
  R extends Route<z.ZodType, z.ZodType, z.ZodType, infer O>
    ? [O] extends [never]
      ? undefined
      : O extends z.ZodType
        ? z.output<O>
        : Response
    : never

export interface ClientOptions {
  /** Base address of the manager. */
  url: string
  /** API token; without it the browser's session cookie is used. */
  token?: string
  fetch?: typeof globalThis.fetch
  /** Milliseconds per call; streams excepted. */
  timeoutMs?: number
  /** Random key for `Idempotency-Key`; one per call unless given in the call's options. */
  newKey?: () => string
}

export interface CallOptions {
  idempotencyKey?: string
  signal?: AbortSignal
  /** Instead of the client's: for what takes long, such as a large upload. */
  timeoutMs?: number
}

export type Client = {
  [O in Operation]: (input: InputOf<Routes[O]>, options?: CallOptions) => Promise<ResultOf<Routes[O]>>
}

/**
 * The typed client of the manager's API, made from the route table. Calls resolve with the parsed result (or the raw
 * `Response` for streams, bytes and text) and reject with `LandfallError` carrying the problem document's code and hint;
 * `E_UNREACHABLE` when the manager did not answer.
 */
export function createClient(options: ClientOptions): Client {
  const call =
    (operation: Operation) => (input: { params?: object; query?: object; body?: unknown }, extra?: CallOptions) =>
      send(options, routes[operation] as unknown as Route, input ?? {}, extra ?? {})
  return Object.fromEntries(Object.keys(routes).map((name) => [name, call(name as Operation)])) as unknown as Client
}

async function send(
  options: ClientOptions,
  route: Route,
  input: { params?: object; query?: object; body?: unknown },
  extra: CallOptions,
): Promise<unknown> {
  const headers = new Headers({ accept: 'application/json' })
  if (options.token) headers.set('authorization', `Bearer ${options.token}`)
  if (route.method !== 'GET') headers.set('idempotency-key', extra.idempotencyKey ?? (options.newKey ?? randomKey)())
  let body: RequestInit['body'] | null = null
  if (route.body === 'bytes') {
    headers.set('content-type', 'application/octet-stream')
    body = input.body as Uint8Array<ArrayBuffer> | Blob
  } else if (route.body !== null) {
    headers.set('content-type', 'application/json')
    body = JSON.stringify(input.body ?? {})
  }
  const streaming = typeof route.result === 'string'
  const deadline = streaming ? [] : [AbortSignal.timeout(extra.timeoutMs ?? options.timeoutMs ?? 30_000)]
  const signal = AbortSignal.any([...deadline, ...(extra.signal ? [extra.signal] : [])])
  let response: Response
  try {
    response = await (options.fetch ?? globalThis.fetch)(address(options.url, route.path, input), {
      method: route.method,
      headers,
      body,
      signal,
      credentials: 'same-origin',
    })
  } catch (cause) {
    if (extra.signal?.aborted) throw extra.signal.reason
    throw new LandfallError({
      code: 'E_UNREACHABLE',
      message: `The manager at ${options.url} did not answer.`,
      hint: 'Check that it runs (`landfall serve`) and that the address is right (LANDFALL_URL, `landfall login`).',
      retryable: true,
      cause,
    })
  }
  if (!response.ok) throw await refusal(response)
  if (streaming) return response
  if (response.status === 204 || route.result === null) return undefined
  return response.json()
}

function address(base: string, path: string, input: { params?: object; query?: object }): string {
  const params = (input.params ?? {}) as Record<string, string>
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(input.query ?? {})) if (value !== undefined) query.set(name, String(value))
  return `${base.replace(/\/$/, '')}${filled}${query.size > 0 ? `?${query}` : ''}`
}

async function refusal(response: Response): Promise<LandfallError> {
  const parsed = problem.safeParse(await response.json().catch(() => null))
  if (!parsed.success) {
    return new LandfallError({
      code: 'E_UNEXPECTED_ANSWER',
      message: `The manager answered ${response.status} without a problem document.`,
      hint: 'Something between here and the manager answered in its place: check proxies and the address.',
      retryable: response.status >= 500,
    })
  }
  const { code, detail, hint, problems } = parsed.data
  return new LandfallError({
    code,
    message: detail,
    hint,
    // The same call still runs somewhere: with its key it may be sent again until that has ended.
    retryable: response.status >= 500 || response.status === 429 || code === 'E_IDEMPOTENCY_RUNNING',
    ...(problems && { problems }),
  })
}

function randomKey(): string {
  return crypto.randomUUID()
}
