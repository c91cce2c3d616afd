import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { Grant } from '@landfall/stack'
import type { Host } from '../host.ts'
import { sendProblem } from '../router/problem.ts'
import { badRequest, missing, notGranted, Refusal } from './refusal.ts'
import type { BindingRequest } from './request.ts'

type Access = Grant['access'][number]

/** Serves `/bindings/<resource>/…` to worker processes; what they may do follows from their version's grants. */
export function createBindingsServer(host: Host): http.Server {
  const server = http.createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    request.on('error', () => {})
    response.on('error', () => {})
    void answer(host, request, response).catch((error: unknown) => {
      // What is left of a body would be taken for the next request.
      request.resume()
      if (error instanceof Refusal) {
        const { status, code, message, hint } = error
        return sendProblem(response, status, { code, message, hint })
      }
      if (!response.destroyed && !request.destroyed) console.error(new Date().toISOString(), error)
      const problem = { code: 'E_HOST_INTERNAL', message: 'The host failed.', hint: 'Read host.log.' }
      return sendProblem(response, 500, problem)
    })
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  return server
}

async function answer(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://bindings')
  const [, root, resource = '', ...path] = url.pathname.split('/')
  if (root !== 'bindings') throw missing('such address')
  const uses = usesOf(host, request)
  const granted = uses?.find((grant) => grant.resource === resource)?.access ?? []
  const allow = (access: Access) => {
    if (!granted.includes(access)) throw notGranted(`"${access}" on ${resource}`)
  }
  if (uses === null) throw notGranted(resource)
  const call: BindingRequest = { resource, request, response, path: path.map(decode), query: url.searchParams }
  const reads = request.method === 'GET' || request.method === 'HEAD'
  switch (host.store.resource(resource)?.spec.type) {
    case 'storage':
      allow(reads ? 'read' : 'write')
      return host.storage.handle(call)
    case 'kv':
      allow(reads ? 'read' : 'write')
      return host.kv.handle(call)
    case 'queue':
      allow('send')
      return host.queue.handle(call)
    case 'secret':
      allow('read')
      return secret(host, call)
    case 'postgres':
      throw missing('such address: a postgres is reached by its own url')
    default:
      if (!host.workers.has(resource)) {
        allow('invoke')
        throw missing(`resource ${resource}`)
      }
      allow('invoke')
      // Our token is for the bindings alone; the other worker never sees it.
      return host.worker(resource).router.handle(request, response, {
        drop: ['authorization'],
        prefix: `/bindings/${resource}`,
      })
  }
}

function usesOf(host: Host, request: IncomingMessage): readonly Grant[] | null {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  const owner = token === undefined ? null : host.tokens.owner(token)
  return (owner && host.workers.get(owner.worker)?.versions.get(owner.version)?.spec.uses) ?? null
}

function secret(host: Host, { resource, request, response }: BindingRequest): void {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const owner = host.tokens.owner(token)
  const spec = owner && host.workers.get(owner.worker)?.versions.get(owner.version)?.spec
  if (!spec || request.method !== 'GET') throw badRequest('A secret can only be read.')
  const value = Buffer.from(host.secrets.open(resource, spec))
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': value.length })
  response.end(value)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badRequest('The path is not percent-encoded UTF-8.')
  }
}
