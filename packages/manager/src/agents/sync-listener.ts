import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { routes, type SyncAnswer, type SyncRequest, syncRequest } from '@landfall/contract'
import { securityHeaders } from '../http/security-headers.ts'
import type { Services } from '../http/services.ts'
import type { SessionContent } from './session-token.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/** A sync without a report takes about 50 bytes. */
const smallBody = 1_024
const bearer = 'Bearer '

interface Sync {
  said: SessionContent
  asked: SyncRequest
}

/**
 * Answers the calls that a fleet makes all the time, and all at once when a release comes, syncs without a report, without the framework; a
 * poll that finds nothing new also without the database. Token, session and body are checked as for every call; whatever is not exactly
 * that, and what is refused while it is held, goes to `rest`, which alone knows how to refuse.
 */
export function answerSyncs(services: Services, rest: Listener): Listener {
  const { hub } = services.agents
  const read = createReader(services)
  const send = createSender(services)
  const held = holdUntilDraining(services)
  const sync = async ({ said, asked }: Sync, response: ServerResponse): Promise<SyncAnswer | null> => {
    const waiting = held(response)
    try {
      return await hub.sync(said, asked, waiting.signal)
    } catch {
      return null
    } finally {
      waiting.over()
    }
  }
  const answerNews = async (known: Sync, response: ServerResponse, started: number, refuse: () => void) => {
    const answer = await sync(known, response)
    if (answer) send(response, answer, known.said.name, started)
    else refuse()
  }
  return (request, response) => {
    if (!mayBe(request)) return rest(request, response)
    const started = performance.now()
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      const refuse = () => {
        // Where the framework finds a body that was read before it.
        Object.assign(request, { rawBody: body })
        rest(request, response)
      }
      const known = read(request, body)
      if (!known) return refuse()
      const unchanged = hub.unchanged(known.said, known.asked)
      if (unchanged) return send(response, unchanged, known.said.name, started)
      void answerNews(known, response, started, refuse)
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

/** Whose sync it is and what it asks; null for everything that is to be refused, and for reports. */
function createReader({ agents, clock }: Services): (request: IncomingMessage, body: Buffer) => Sync | null {
  // A connection that repeats the token that was proved on it last needs no HMAC; the memory goes with the connection.
  const proved = new WeakMap<Socket, { header: string; said: SessionContent }>()
  return (request, body) => {
    const now = clock.now()
    const header = request.headers.authorization ?? ''
    const before = proved.get(request.socket)
    const known = before?.header === header && before.said.expires > now ? before.said : null
    try {
      const said = known ?? agents.tokens.read(header.slice(bearer.length), now)
      if (!known) proved.set(request.socket, { header, said })
      const asked = syncRequest.safeParse(JSON.parse(body.toString('utf8')))
      return asked.success && asked.data.report === undefined ? { said, asked: asked.data } : null
    } catch {
      return null
    }
  }
}

/** Ends a held sync when its caller goes away or the manager drains; counted as a call under way until it is over. */
function holdUntilDraining({ stopping, requests }: Services) {
  // One listener for all: an EventTarget looks through all that it has for each that is added.
  const leaving = new Set<() => void>()
  const leaveAll = () => {
    for (const leave of [...leaving]) leave()
  }
  stopping.addEventListener('abort', leaveAll, { once: true })
  return (response: ServerResponse) => {
    const gone = new AbortController()
    const leave = () => gone.abort()
    if (stopping.aborted) leave()
    leaving.add(leave)
    response.once('close', leave)
    requests.inFlight += 1
    const over = () => {
      requests.inFlight -= 1
      leaving.delete(leave)
      response.off('close', leave)
    }
    return { signal: gone.signal, over }
  }
}

function createSender(services: Services) {
  const headers = constantHeaders(services)
  return (response: ServerResponse, answer: SyncAnswer, name: string, started: number): void => {
    const requestId = randomUUID()
    const text = JSON.stringify(answer)
    const length = String(Buffer.byteLength(text))
    response.writeHead(200, [...headers, 'x-request-id', requestId, 'content-length', length])
    response.end(text)
    const ms = performance.now() - started
    services.requests.observe('sync', 200, ms / 1000)
    const { method, path } = routes.sync
    services.accessLog?.({ operation: 'sync', method, path, status: 200, ms, actor: `agent:${name}`, requestId })
  }
}

function constantHeaders({ settings }: Services): string[] {
  const all = new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store' })
  securityHeaders(all, settings.publicUrl.startsWith('https:'))
  return [...all].flat()
}
