import { RuntimeError } from '../errors/runtime-error.ts'
import { traceHeaders } from '../telemetry/propagation.ts'

/** A request to a binding has this long until its answer begins. */
const answerMs = 30_000

/** What `fetch` takes as a body. */
export type RequestBody = NonNullable<RequestInit['body']>

export interface BindingRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Below the binding's URL, with its leading slash, encoded. */
  path: string
  query?: Readonly<Record<string, string | undefined>>
  headers?: Readonly<Record<string, string>>
  body?: RequestBody
  signal?: AbortSignal
  /** Time until the answer begins, milliseconds. */
  deadlineMs?: number
  /** Statuses that are answers for the caller, beside 2xx. */
  expect?: readonly number[]
}

/** Speaks to one binding with driver `http`: names the worker, sets a deadline, and turns refusals into errors. */
export class BindingClient {
  readonly #label: string
  readonly #url: string
  readonly #token: string

  constructor(label: string, url: string, token: string) {
    this.#label = label
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
  }

  get url(): string {
    return this.#url
  }

  /** @throws RuntimeError `E_NOT_GRANTED`, `E_TOO_LARGE`, `E_BINDING_UNAVAILABLE`, `E_BINDING_REFUSED` */
  async request(request: BindingRequest): Promise<Response> {
    const url = new URL(this.#url + request.path)
    for (const [name, value] of Object.entries(request.query ?? {})) if (value) url.searchParams.set(name, value)
    const deadline = new AbortController()
    const ms = request.deadlineMs ?? answerMs
    const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${ms} ms`)), ms)
    let response: Response
    try {
      response = await fetch(url, {
        method: request.method,
        headers: { ...request.headers, ...traceHeaders(), authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.any(request.signal ? [deadline.signal, request.signal] : [deadline.signal]),
        redirect: 'error',
        ...(request.body === undefined ? {} : { body: request.body, duplex: 'half' }),
      })
    } catch (error) {
      request.signal?.throwIfAborted()
      throw this.#unavailable(error)
    } finally {
      clearTimeout(timer)
    }
    if (response.ok || request.expect?.includes(response.status)) return response
    throw await this.#refusal(response)
  }

  #unavailable(cause: unknown): RuntimeError {
    return new RuntimeError({
      code: 'E_BINDING_UNAVAILABLE',
      message: `${this.#label} could not be reached.`,
      hint: 'It is usually back within seconds: let the event fail so that it is delivered again, or answer 503.',
      retryable: true,
      cause,
    })
  }

  async #refusal(response: Response): Promise<RuntimeError> {
    const { status } = response
    const body = await smallJson(response)
    if (status >= 500 || status === 429) return this.#unavailable(new Error(`it answered ${status}`))
    const standard = status === 403 ? 'E_NOT_GRANTED' : status === 413 ? 'E_TOO_LARGE' : 'E_BINDING_REFUSED'
    return new RuntimeError({
      code: text(body.code) ?? standard,
      message: text(body.message) ?? `${this.#label} refused the request (${status}).`,
      hint: text(body.hint) ?? 'Compare what the code does with what the worker `uses` in landfall.config.ts.',
    })
  }
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value.slice(0, 1000) : undefined)

async function smallJson(response: Response): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse((await response.text()).slice(0, 65_536))
    return value !== null && typeof value === 'object' ? { ...value } : {}
  } catch {
    return {}
  }
}
