import { LandfallError } from '@landfall/stack'
import type { VersionSpec } from '../../shared/control.ts'
import { artifactGone, notFound, preconditionFailed } from '../../shared/errors.ts'
import { refusedVariable } from '../supervisor/environment.ts'
import { type Call, type Route, readBody, readJson } from './server.ts'

export const workerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/v1\/artifacts\/([^/]+)$/,
    handle: ({ host, parts: [digest = ''] }) => ({ present: host.artifacts.has(digest) }),
  },
  {
    method: 'PUT',
    path: /^\/v1\/artifacts\/([^/]+)$/,
    handle: async ({ host, request, parts: [digest = ''] }) => {
      await host.artifacts.put(digest, await readBody(request))
      return {}
    },
  },
  {
    method: 'GET',
    path: /^\/v1\/workers\/([^/]+)$/,
    handle: ({ host, parts: [name = ''] }) => view(host, name),
  },
  {
    method: 'PUT',
    path: /^\/v1\/workers\/([^/]+)\/versions\/([^/]+)$/,
    handle: async (call) => {
      const { host, request, parts } = call
      const [name = '', id = ''] = parts
      const { spec, instances } = await readJson<{ spec: VersionSpec; instances: number }>(request)
      match(call, name)
      const loads = Object.keys(spec.env).filter(refusedVariable)
      if (loads.length > 0) {
        throw new LandfallError({
          code: 'E_ENVIRONMENT_REFUSED',
          message: `The environment of ${name} sets ${loads.join(', ')}, which loads code into the process.`,
          hint: 'Take it out of the worker and of the inputs.',
        })
      }
      if (!host.artifacts.has(spec.artifact)) throw artifactGone(spec.artifact)
      host.store.putVersion(name, { ...spec, id }, instances, host.tokens.sealed(name, id))
      host.worker(name).converge()
      return view(host, name)
    },
  },
  {
    method: 'DELETE',
    path: /^\/v1\/workers\/([^/]+)\/versions\/([^/]+)$/,
    handle: (call) => {
      const { host, parts } = call
      const [name = '', id = ''] = parts
      match(call, name)
      const worker = host.store.worker(name)
      if (!worker || !host.store.versions(name).some(({ spec }) => spec.id === id)) return {}
      if ((worker.shares[id] ?? 0) > 0) {
        throw new LandfallError({
          code: 'E_VERSION_SERVES',
          message: `The version still serves ${worker.shares[id]}% of ${name}.`,
          hint: 'Move its share away first.',
        })
      }
      host.store.retireVersion(name, id)
      host.worker(name).converge()
      return {}
    },
  },
  {
    method: 'PUT',
    path: /^\/v1\/workers\/([^/]+)\/route$/,
    handle: async (call) => {
      const { host, request, parts } = call
      const [name = ''] = parts
      const { shares } = await readJson<{ shares: Record<string, number> }>(request)
      match(call, name)
      known(call, name, Object.keys(shares))
      host.store.updateWorker(name, { shares })
      host.worker(name).converge()
      return view(host, name)
    },
  },
  {
    method: 'PUT',
    path: /^\/v1\/workers\/([^/]+)\/triggers$/,
    handle: async (call) => {
      const { host, request, parts } = call
      const [name = ''] = parts
      const { version } = await readJson<{ version: string | null }>(request)
      match(call, name)
      known(call, name, version === null ? [] : [version])
      host.store.updateWorker(name, { triggers: version })
      host.worker(name).converge()
      return view(host, name)
    },
  },
  {
    method: 'DELETE',
    path: /^\/v1\/workers\/([^/]+)$/,
    handle: async ({ host, parts: [name = ''] }) => {
      const worker = host.store.worker(name)
      if (!worker) return {}
      host.store.updateWorker(name, { removing: true, shares: {}, triggers: null })
      if (host.store.versions(name).length === 0) await host.workerGone(host.worker(name))
      else host.worker(name).converge()
      return {}
    },
  },
]

function view(host: Call['host'], name: string) {
  const found = host.store.worker(name) && host.worker(name).view()
  if (!found) throw notFound(`worker ${name}`)
  return found
}

/** Checks the revision right before the write, in the same turn of the event loop: nothing comes between. */
function match({ host, ifMatch }: Call, name: string): void {
  const revision = host.store.worker(name)?.revision ?? 0
  if (ifMatch !== null && ifMatch !== revision) throw preconditionFailed(`The worker ${name}`)
}

function known({ host }: Call, name: string, ids: readonly string[]): void {
  const there = new Set(host.store.versions(name).flatMap(({ spec, retiring }) => (retiring ? [] : [spec.id])))
  const missing = ids.find((id) => !there.has(id))
  if (missing !== undefined) throw notFound(`version ${missing} of the worker ${name}`)
}
