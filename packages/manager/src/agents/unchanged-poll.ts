import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { routes, syncRequest } from '@landfall/contract'
import { securityHeaders } from '../http/security-headers.ts'
import type { Services } from '../http/services.ts'
import type { SessionContent } from './session-token.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/** A poll without a report takes about 50 bytes. */
const smallBody = 1_024
const bearer = 'Bearer '

/**
 * Answers the one call that a fleet makes all the time, a poll without report or wait that finds nothing new, without the framework
 * and without the database. Token, session and body are checked as for every call; whatever is not exactly that (a report, a wait, news,
 * anything wrong) goes to `rest`, which alone knows how to refuse.
 */
export function answerUnchangedPolls(services: Services, rest: Listener): Listener {
  const headers = constantHeaders(services)
  // A connection that repeats the token that was proved on it last needs no HMAC; the memory goes with the connection.
  const proved = new WeakMap<Socket, { header: string; said: SessionContent }>()
  const answer = (request: IncomingMessage, body: Buffer): { text: string; actor: string } | null => {
    const now = services.clock.now()
    const header = request.headers.authorization ?? ''
    const before = proved.get(request.socket)
    const known = before?.header === header && before.said.expires > now ? before.said : null
    try {
      const said = known ?? services.agents.tokens.read(header.slice(bearer.length), now)
      if (!known) proved.set(request.socket, { header, said })
      const parsed = syncRequest.safeParse(JSON.parse(body.toString('utf8')))
      const unchanged = parsed.success ? services.agents.hub.unchanged(said, parsed.data) : null
      return unchanged && { text: JSON.stringify(unchanged), actor: `agent:${said.name}` }
    } catch {
      return null
    }
  }
  return (request, response) => {
    if (!mayBe(request)) return rest(request, response)
    const started = performance.now()
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      const answered = answer(request, body)
      if (answered === null) {
        // Where the framework finds a body that was read before it.
        Object.assign(request, { rawBody: body })
        return rest(request, response)
      }
      const requestId = randomUUID()
      const { text, actor } = answered
      response.writeHead(200, [
        ...headers,
        'x-request-id',
        requestId,
        'content-length',
        String(Buffer.byteLength(text)),
      ])
      response.end(text)
      const ms = performance.now() - started
      services.requests.observe('sync', 200, ms / 1000)
      const { method, path } = routes.sync
      services.accessLog?.({ operation: 'sync', method, path, status: 200, ms, actor, requestId })
    })
  }
}

/** A small body of a length that was announced, in JSON; no request id that would have to be looked at, nobody's browser. */
function mayBe({ url, method, headers }: IncomingMessage): boolean {
  if (url !== routes.sync.path || method !== routes.sync.method) return false
  const length = Number(headers['content-length'])
  const plain = headers['x-request-id'] === undefined && headers.authorization?.startsWith(bearer) === true
  return plain && length > 0 && length <= smallBody && headers['content-type'] === 'application/json'
}

function constantHeaders({ settings }: Services): string[] {
  const all = new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store' })
  securityHeaders(all, settings.publicUrl.startsWith('https:'))
  return [...all].flat()
}
