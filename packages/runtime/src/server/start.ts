import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Variables } from '../environment/environment.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import { registry } from '../handlers/register.ts'
import { log } from '../telemetry/log.ts'
import { telemetry } from '../telemetry/telemetry.ts'
import { handleInvoke } from './handle-invoke.ts'
import { type FetchHandler, handleRequest } from './handle-request.ts'
import { InFlight } from './in-flight.ts'
import { problem } from './problem.ts'
import { sendResponse } from './send-response.ts'
import { settingsOf } from './settings.ts'

export interface ServeOptions {
  fetch?: FetchHandler
  /** Largest body of a request, in bytes. Default 32 MiB. */
  maxBodyBytes?: number
}

export interface Running {
  /** Where it listens. */
  port: number
  /** Ends it as SIGTERM does: stops accepting, finishes what is in flight within the grace period, sends telemetry. */
  close(): Promise<void>
}

/** Longest time that telemetry may take at the end of the process. */
const flushMs = 1_000

let running: Promise<Running> | undefined

/**
 * Serves the vendor's module: what a generated entry calls. It answers requests by `export default { fetch }` or
 * `export function fetch`, and events and commands by the handlers that were registered while the module was imported.
 * @throws RuntimeError `E_NO_PLATFORM`
 */
export function start(module: object, variables: Variables = process.env): Promise<Running> {
  running ??= listen(optionsOf(module), variables)
  return running
}

/** Serves requests by a function, for code that has no default export. `start` then gives this server. */
export const serve = (options: ServeOptions, variables: Variables = process.env): Promise<Running> =>
  start({ default: options }, variables)

function optionsOf(module: object): ServeOptions {
  const standard: unknown = Reflect.get(module, 'default')
  const exported: unknown = Reflect.get(module, 'fetch')
  if (typeof standard === 'function') return { fetch: standard as FetchHandler }
  const holder = standard !== null && typeof standard === 'object' ? standard : {}
  const fetch: unknown = Reflect.get(holder, 'fetch') ?? exported
  const maxBodyBytes: unknown = Reflect.get(holder, 'maxBodyBytes')
  return {
    // Bound, because frameworks export an object whose fetch uses `this`.
    ...(typeof fetch === 'function' ? { fetch: fetch.bind(holder) as FetchHandler } : {}),
    ...(typeof maxBodyBytes === 'number' ? { maxBodyBytes } : {}),
  }
}

async function listen(options: ServeOptions, variables: Variables): Promise<Running> {
  const settings = settingsOf(variables, options)
  const inFlight = new InFlight()
  const server = createServer((incoming, out) => {
    // An error here would be one of the runtime; the connection is then all that is lost.
    out.on('error', () => {})
    const path = (incoming.url ?? '/').split('?', 1)[0] ?? '/'
    if (path === '/_landfall/invoke') void handleInvoke(incoming, out, registry, settings, inFlight)
    else if (path.startsWith('/_landfall/')) {
      const answer = problem(
        404,
        'E_NOT_FOUND',
        'There is nothing here.',
        'Paths below /_landfall/ belong to the platform.',
      )
      void sendResponse(answer, out, new AbortController().signal, false)
    } else void handleRequest(incoming, out, options.fetch, settings, inFlight)
  })
  // Longer than the routers before it keep idle connections, so that these are the ones that close them.
  server.keepAliveTimeout = 75_000
  server.headersTimeout = 15_000
  // The deadline of a request is set where it is handled, and answered there.
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.port, settings.host, () => resolve())
  })

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= drain(server, inFlight, settings.graceMs)
    return closing
  }
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => void close().then(() => process.exit(0)))
  }
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(name, (error: unknown) => {
      log.error('The process ends: an error that nothing caught', { error })
      void telemetry.flush(flushMs).then(() => process.exit(1))
    })
  }
  const { port } = server.address() as AddressInfo
  return { port, close }
}

async function drain(server: Server, inFlight: InFlight, graceMs: number): Promise<void> {
  server.close()
  server.closeIdleConnections()
  // A part is kept, in which what was aborted can answer, and telemetry be sent.
  const margin = Math.min(flushMs + 500, graceMs / 2)
  const left = await inFlight.drain(graceMs - margin, margin / 3, ending())
  if (left > 0) log.warn('The process ends with work in flight', { left })
  await telemetry.flush(margin / 2)
  server.closeAllConnections()
}

const ending = () =>
  new RuntimeError({
    code: 'E_DRAINING',
    message: 'The process ended before this was done.',
    hint: 'It is safe to send it again. If it needs longer, raise the `gracePeriod` of the worker.',
    retryable: true,
  })
