import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { Digest } from '@landfall/stack'
import type { Instance } from '../supervisor/instance.ts'
import type { VersionRunner } from '../supervisor/version-runner.ts'
import { endToEnd, forwarded } from './headers.ts'
import { sendProblem } from './problem.ts'
import { Shares } from './shares.ts'

export interface Picked {
  runner: VersionRunner
  instance: Instance
}

const invokePrefix = '/_landfall/'

/** Sends each request of one worker to a version by its share, and to that version's least busy instance. */
export class Router {
  readonly shares = new Shares()
  readonly #versions: ReadonlyMap<Digest, VersionRunner>

  constructor(versions: ReadonlyMap<Digest, VersionRunner>) {
    this.#versions = versions
  }

  readonly usable = (id: Digest): boolean => (this.#versions.get(id)?.ready().length ?? 0) > 0

  pick(accept: (runner: VersionRunner) => boolean = () => true): Picked | null {
    const id = this.shares.next((key) => {
      const runner = this.#versions.get(key)
      return runner !== undefined && runner.ready().length > 0 && accept(runner)
    })
    const runner = id === null ? undefined : this.#versions.get(id)
    const instance = runner && leastBusy(runner.ready())
    return runner && instance ? { runner, instance } : null
  }

  /** @param options.drop request headers not to send on; `prefix`: what to cut from the path. */
  handle(request: IncomingMessage, response: ServerResponse, options: { drop?: string[]; prefix?: string } = {}): void {
    const path = pathOf(request, options.prefix ?? '')
    if (path.startsWith(invokePrefix)) {
      const problem = { code: 'E_NOT_FOUND', message: 'There is nothing here.', hint: 'This path is not public.' }
      sendProblem(response, 404, problem)
      return
    }
    const picked = this.pick()
    if (!picked) {
      request.resume()
      const message = 'No instance of this worker is available.'
      const problem = { code: 'E_NO_INSTANCE', message, hint: 'Try again shortly.' }
      sendProblem(response, 503, problem, { 'retry-after': '1' })
      return
    }
    // Broken connections of the client are seen at `close`; an error event without a listener would end the daemon.
    request.on('error', () => {})
    response.on('error', () => {})
    new Exchange(picked, request, response, path, options.drop ?? []).attempt(picked.instance, new Set())
  }
}

export function pathOf(request: IncomingMessage, prefix: string): string {
  const url = request.url ?? '/'
  const rest = url.startsWith(prefix) ? url.slice(prefix.length) : url
  return rest.startsWith('/') ? rest : `/${rest}`
}

export function leastBusy(instances: readonly Instance[]): Instance | undefined {
  let best: Instance | undefined
  for (const instance of instances) if (!best || instance.inFlight < best.inFlight) best = instance
  return best
}

/** One request on its way, counted once for the version that it was given to. */
class Exchange {
  readonly #picked: Picked
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #path: string
  readonly #drop: readonly string[]
  readonly #startedAt = performance.now()
  /** Whether a byte of the client's body was handed on: then it can't be sent twice. */
  #bodySent = false
  #counted = false
  /** Sent a second time, after a kept connection had closed. */
  #repeated = false

  constructor(
    picked: Picked,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    drop: readonly string[],
  ) {
    this.#picked = picked
    this.#request = request
    this.#response = response
    this.#path = path
    this.#drop = drop
  }

  attempt(instance: Instance, tried: Set<Instance>): void {
    tried.add(instance)
    const { runner } = this.#picked
    let settled = false
    const upstream = http.request({
      host: '127.0.0.1',
      port: instance.port,
      agent: this.#repeated ? false : instance.agent,
      method: this.#request.method,
      path: this.#path,
      headers: forwarded(this.#request, this.#drop),
      setHost: false,
    })
    const done = instance.begin()
    const timer = setTimeout(() => upstream.destroy(new TimeoutError()), runner.spec.timeoutMs)
    const clientGone = () => upstream.destroy()
    this.#response.once('close', clientGone)
    const over = () => {
      clearTimeout(timer)
      done()
      this.#response.off('close', clientGone)
    }

    upstream.once('response', (answer) => {
      settled = true
      clearTimeout(timer)
      this.#relay(answer, over)
    })
    // Not asked for; the request ends with `close` then.
    upstream.once('upgrade', (_answer, socket) => socket.destroy())
    const broken = (error: NodeJS.ErrnoException) => {
      if (settled) return
      settled = true
      over()
      // The client went: nobody's failure.
      if (this.#response.destroyed || this.#request.errored) return
      const again = this.#retryOn(instance, tried, upstream, error)
      if (again) this.attempt(again, tried)
      else this.#failed(error)
    }
    // More than one error can come, and an end without any.
    upstream.on('error', broken)
    upstream.once('close', () => broken(new Error('closed without an answer')))
    this.#send(upstream)
  }

  #send(upstream: http.ClientRequest): void {
    if (!hasBody(this.#request)) {
      upstream.end()
      return
    }
    // The body flows only once there is a connection: a refused one leaves it whole for the next instance.
    upstream.once('socket', (socket) => {
      const pipe = () => {
        this.#bodySent = true
        this.#request.pipe(upstream)
      }
      if (socket.connecting) socket.once('connect', pipe)
      else pipe()
    })
    this.#request.once('error', () => upstream.destroy())
  }

  /**
   * Who may get the request again. Where no connection came about, nothing was sent: another instance of the version. Where
   * a kept connection closed under a repeatable request: the same instance, once, on a new one. It goes to no other, because a
   * request that makes processes crash must not go through all of them.
   */
  #retryOn(
    instance: Instance,
    tried: ReadonlySet<Instance>,
    upstream: http.ClientRequest,
    error: NodeJS.ErrnoException,
  ): Instance | undefined {
    if (this.#bodySent || this.#repeated || error instanceof TimeoutError) return undefined
    if (error.syscall === 'connect') {
      return leastBusy(this.#picked.runner.ready().filter((each) => !tried.has(each)))
    }
    const repeatable = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'].includes(this.#request.method ?? '')
    if (!upstream.reusedSocket || !repeatable) return undefined
    this.#repeated = true
    return instance
  }

  #relay(answer: IncomingMessage, over: () => void): void {
    const response = this.#response
    const headers = endToEnd(answer.rawHeaders)
    headers.push('landfall-version', this.#picked.runner.spec.release)
    try {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
    } catch (error) {
      // A status or a header that HTTP forbids: the parser lets through more than may be sent.
      answer.destroy()
      over()
      this.#failed(error as Error)
      return
    }
    response.flushHeaders()
    const failed = (answer.statusCode ?? 502) >= 500
    // A stream of events has no end to measure: its first byte counts.
    if (answer.headers['content-type']?.startsWith('text/event-stream')) this.#count(failed)
    answer.pipe(response)
    answer.once('end', () => this.#count(failed))
    answer.once('close', () => {
      over()
      if (answer.complete) return
      // Cut by the worker, unless the client went first.
      if (!response.destroyed) {
        this.#count(true)
        response.destroy()
      }
    })
  }

  #failed(error: Error): void {
    this.#count(true)
    const late = error instanceof TimeoutError
    sendProblem(
      this.#response,
      late ? 504 : 502,
      {
        code: late ? 'E_WORKER_TIMEOUT' : 'E_WORKER_UNREACHABLE',
        message: late ? 'The worker did not answer in time.' : 'The worker broke the connection.',
        hint: "Look at the worker's logs.",
      },
      { 'landfall-version': this.#picked.runner.spec.release },
    )
  }

  #count(error: boolean): void {
    if (this.#counted) return
    this.#counted = true
    this.#picked.runner.record({ error, ms: performance.now() - this.#startedAt })
  }
}

class TimeoutError extends Error {}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}
