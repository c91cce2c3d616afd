import { randomUUID } from 'node:crypto'
import { type Operation, type Route, routes } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import { type Context, Hono } from 'hono'
import { callRoute } from './call-route.ts'
import type { Handler, Handlers } from './handler.ts'
import { knownFailure, problemAnswer } from './problem-answer.ts'
import { notFound } from './refusals.ts'
import { securityHeaders } from './security-headers.ts'
import type { Services } from './services.ts'
import { webApp } from './web-app.ts'

type Bindings = { incoming?: { socket?: { remoteAddress?: string } } }

/** The whole HTTP side: every route of the contract, and the web app. Needs no port: `app.request(…)` calls it. */
export function createApp(services: Services, handlers: Handlers): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>()
  const https = services.settings.publicUrl.startsWith('https:')
  app.use(async (c, next) => {
    await next()
    securityHeaders(c.res.headers, https)
  })
  for (const [operation, route] of Object.entries(routes) as [Operation, Route][]) {
    // The table's type ties each handler to its route; in a loop over all of them that tie can't be told.
    const handler = handlers[operation] as unknown as Handler<Operation>
    const path = route.path.replace(/\{(\w+)\}/g, ':$1')
    app.on(route.method, path, (c) => serve(c, operation, route, handler, services))
  }
  app.all('/api/*', (c) => Promise.resolve(problemAnswer(notFound(`call ${c.req.method} ${c.req.path}`), randomUUID())))
  app.get('*', webApp(services.settings.webDirectory))
  app.notFound((c) => Promise.resolve(problemAnswer(notFound(`call ${c.req.method} ${c.req.path}`), randomUUID())))
  return app
}

async function serve(
  c: Context<{ Bindings: Bindings }>,
  operation: Operation,
  route: Route,
  handler: Handler<Operation>,
  services: Services,
): Promise<Response> {
  const started = performance.now()
  const requestId = requestIdOf(c.req.raw.headers)
  let actor = 'anonymous'
  services.requests.inFlight += 1
  let response: Response
  try {
    const call = { request: c.req.raw, params: c.req.param() as Record<string, string>, requestId, peer: peerOf(c) }
    response = await callRoute(operation, route, handler, call, services, (name) => {
      actor = name
    })
  } catch (error) {
    response = problemAnswer(refusalOf(error, requestId, operation, services), requestId)
  } finally {
    services.requests.inFlight -= 1
  }
  const ms = performance.now() - started
  services.requests.observe(operation, response.status, ms / 1000)
  // The path, never the query: a link's token or an SSO code may be in it.
  services.accessLog?.({
    operation,
    method: route.method,
    path: c.req.path,
    status: response.status,
    ms,
    actor,
    requestId,
  })
  response.headers.set('x-request-id', requestId)
  return response
}

function refusalOf(error: unknown, requestId: string, operation: Operation, services: Services): LandfallError {
  const known = knownFailure(error)
  if (known) return known
  services.log.warn('a call failed inside', { operation, requestId, error: describe(error) })
  return new LandfallError({
    code: 'E_INTERNAL',
    message: 'Something went wrong inside the manager.',
    hint: `Look for ${requestId} in its log.`,
  })
}

/** Type and stack without the message's values: a database's message may repeat what was sent. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const detail = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  return `${error.name}${detail}: ${error.message.slice(0, 500)}\n${(error.stack ?? '').split('\n').slice(1, 8).join('\n')}`
}

function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id') ?? ''
  return /^[\w-]{8,64}$/.test(given) ? given : randomUUID()
}

function peerOf(c: Context<{ Bindings: Bindings }>): string {
  return c.env?.incoming?.socket?.remoteAddress ?? ''
}
