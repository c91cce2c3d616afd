import type { Operation, Route } from '@landfall/contract'
import { authenticate } from '../auth/authenticate.ts'
import { authorise } from '../auth/authorise.ts'
import { bodyBytes } from './body-bytes.ts'
import type { Handler, HandlerRequest } from './handler.ts'
import { checkKey, once } from './idempotency.ts'
import { parseBody, parseParams, parseQuery } from './parse-request.ts'
import { actorName, isPerson, type Principal } from './principal.ts'
import { requireSameOrigin } from './same-origin.ts'
import type { Services } from './services.ts'

export interface IncomingCall {
  request: Request
  /** From the path, decoded. */
  params: Readonly<Record<string, string>>
  requestId: string
  peer: string
}

/** Told who called, as soon as that is known: for the access log. */
type Seen = (actor: string) => void

/**
 * One call of one route: who calls, whether they may, what they send, what comes back. In this order: whoever may not call
 * learns nothing of what a right call looks like, and a body is not read before its sender was let in.
 */
export async function callRoute(
  operation: Operation,
  route: Route,
  handler: Handler<Operation>,
  call: IncomingCall,
  services: Services,
  seen: Seen,
): Promise<Response> {
  const { request } = call
  const mutating = request.method !== 'GET' && request.method !== 'HEAD'
  const principal = route.access.public ? null : await authenticate(request.headers, services)
  seen(actorName(principal))
  authorise(route.access, principal, call.params)
  if (mutating) {
    const byCookie = principal?.kind === 'session'
    if (byCookie || route.access.public) {
      requireSameOrigin(request.headers, services.settings.publicUrl, request.url, byCookie)
    }
  }
  const params = parseParams(route, call.params)
  const url = new URL(request.url)
  const query = parseQuery(route, url.searchParams)
  const stream = bodyBytes(request, route.maxBody)
  const bytes = route.body === 'bytes' || !mutating ? null : await stream.all()
  const body = bytes === null ? stream : parseBody(route, request.headers.get('content-type'), bytes)
  const reply = new Headers()
  const input = {
    params,
    query,
    body,
    principal,
    actor: actorName(principal),
    requestId: call.requestId,
    headers: request.headers,
    peer: call.peer,
    signal: AbortSignal.any([request.signal, services.stopping]),
    reply,
  } as HandlerRequest<never>
  const key = request.headers.get('idempotency-key')
  const mayRepeat = mutating && !route.repeatable
  if (mayRepeat && principal && key !== null && bytes !== null && typeof route.result !== 'string') {
    const content = [operation, url.pathname, url.search, bytes]
    const answer = await once(
      services,
      { caller: callerOf(principal), key: checkKey(key), content },
      async (joined) => {
        const body = checked(route, await handler(input, joined))
        return { status: route.status, body: JSON.stringify(body ?? null) }
      },
    )
    return json(route, answer.body, reply)
  }
  const result: unknown = await handler(input, services)
  if (result instanceof Response) {
    for (const [name, value] of reply) result.headers.append(name, value)
    return result
  }
  return json(route, JSON.stringify(checked(route, result) ?? null), reply)
}

function callerOf(principal: Principal): string {
  return isPerson(principal) ? principal.id : principal.token
}

/** The result as the contract describes it; what the schema does not name is left out, so nothing slips through. */
function checked(route: Route, result: unknown): unknown {
  if (route.result === null || typeof route.result === 'string') return undefined
  return route.result.parse(result)
}

function json(route: Route, body: string, reply: Headers): Response {
  if (route.result === null) return new Response(null, { status: route.status, headers: reply })
  reply.set('content-type', 'application/json')
  reply.set('cache-control', 'no-store')
  return new Response(body, { status: route.status, headers: reply })
}
