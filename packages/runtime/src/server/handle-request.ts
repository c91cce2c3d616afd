import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { RuntimeError } from '../errors/runtime-error.ts'
import { log } from '../telemetry/log.ts'
import { recordRequest } from '../telemetry/request-metrics.ts'
import { routeOf } from '../telemetry/route.ts'
import { scopeName } from '../telemetry/telemetry.ts'
import type { InFlight } from './in-flight.ts'
import { problem } from './problem.ts'
import { sendResponse } from './send-response.ts'
import type { Settings } from './settings.ts'
import { bodyTooLarge, toRequest } from './to-request.ts'

/** The vendor's handler of requests, as the Fetch standard's types. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/** Answers one request by the vendor's code, with a deadline, a span and a metric. Never throws. */
export async function handleRequest(
  incoming: IncomingMessage,
  out: ServerResponse,
  handler: FetchHandler | undefined,
  settings: Settings,
  inFlight: InFlight,
): Promise<void> {
  const started = performance.now()
  const { controller, end } = inFlight.begin()
  const timer = setTimeout(() => controller.abort(timedOut(settings.timeoutMs)), settings.timeoutMs)
  const gone = () => {
    if (!out.writableFinished) controller.abort(new Error('the client has gone'))
  }
  out.once('close', gone)
  if (inFlight.draining) out.setHeader('connection', 'close')

  const method = incoming.method ?? 'GET'
  const path = (incoming.url ?? '/').split('?', 1)[0] ?? '/'
  const isProbe = path === settings.healthPath && (method === 'GET' || method === 'HEAD')
  const route = routeOf(path)
  const parent = propagation.extract(context.active(), incoming.headers)
  const tracer = trace.getTracer(scopeName)
  const attributes = { 'http.request.method': method, 'http.route': route, 'url.path': path }
  const span = isProbe
    ? undefined
    : tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
  const active = span ? trace.setSpan(parent, span) : parent
  try {
    await context.with(active, async () => {
      const response = await answer(incoming, handler, settings, controller.signal)
      const final = isProbe && response.status === 404 ? await healthy(response) : response
      // The answer to a deadline that has passed must itself not be stopped by it.
      const signal = controller.signal.aborted ? new AbortController().signal : controller.signal
      await sendResponse(final, out, signal, method === 'HEAD')
    })
  } catch (error) {
    // The answer had begun: all that is left is to cut it off, and to say so.
    if (!out.headersSent) out.destroy()
    const isGone = out.destroyed && controller.signal.aborted
    if (!isGone) log.error('An answer broke off', { error, method, path })
    span?.recordException(error instanceof Error ? error : String(error))
    span?.setStatus({ code: SpanStatusCode.ERROR })
  } finally {
    clearTimeout(timer)
    out.off('close', gone)
    const status = out.headersSent ? out.statusCode : 499
    if (!isProbe) {
      const scheme = incoming.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
      recordRequest((performance.now() - started) / 1000, { method, route, status, scheme })
    }
    span?.setAttribute('http.response.status_code', status)
    if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
    end()
  }
}

/** The code's answer, or the runtime's own where there is none. */
async function answer(
  incoming: IncomingMessage,
  handler: FetchHandler | undefined,
  settings: Settings,
  signal: AbortSignal,
): Promise<Response> {
  try {
    if (Number(incoming.headers['content-length'] ?? 0) > settings.maxBodyBytes)
      throw bodyTooLarge(settings.maxBodyBytes)
    if (!handler)
      return problem(404, 'E_NO_FETCH', 'This worker answers no requests.', 'Export default { fetch } from it.')
    const request = toRequest(incoming, signal, settings.maxBodyBytes)
    const response: unknown = await Promise.race([handler(request), aborted(signal)])
    if (response instanceof Response) return response
    throw new TypeError('the fetch handler gave no Response')
  } catch (error) {
    if (RuntimeError.is(error, 'E_TIMEOUT')) return problem(504, error.code, error.message, error.hint)
    if (RuntimeError.is(error, 'E_BODY_TOO_LARGE')) {
      return problem(413, error.code, error.message, error.hint, { connection: 'close' })
    }
    if (RuntimeError.is(error, 'E_BAD_REQUEST')) return problem(400, error.code, error.message, error.hint)
    if (RuntimeError.is(error, 'E_DRAINING')) return problem(503, error.code, error.message, error.hint)
    if (signal.aborted) throw error
    log.error('A request failed', { error, method: incoming.method, path: incoming.url?.split('?', 1)[0] })
    trace.getActiveSpan()?.recordException(error instanceof Error ? error : String(error))
    return problem(500, 'E_UNHANDLED', 'The code of this worker failed.', 'The reason is in the log of the worker.')
  }
}

async function healthy(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response('ok\n', { headers: { 'content-type': 'text/plain' } })
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

const timedOut = (ms: number) =>
  new RuntimeError({
    code: 'E_TIMEOUT',
    message: `The request was not answered within ${ms} ms.`,
    hint: "Raise the worker's `timeout`, or do the work in a queue.",
    retryable: true,
  })
