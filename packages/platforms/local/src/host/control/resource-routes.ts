import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ResourceSpec, ResourceView } from '../../shared/control.ts'
import { notFound, preconditionFailed } from '../../shared/errors.ts'
import type { Host } from '../host.ts'
import { type Route, readJson } from './server.ts'

export const resourceRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/v1\/resources\/([^/]+)$/,
    handle: ({ host, parts: [name = ''] }) => view(host, name),
  },
  {
    method: 'PUT',
    path: /^\/v1\/resources\/([^/]+)$/,
    /** `value` only for a secret: null asks for a generated one. It is sealed before it is stored. */
    handle: async ({ host, request, parts: [name = ''], ifMatch }) => {
      const { spec, value } = await readJson<{ spec: ResourceSpec; value?: string | null }>(request)
      const revision = host.store.resource(name)?.revision ?? 0
      if (ifMatch !== null && ifMatch !== revision) throw preconditionFailed(`The resource ${name}`)
      if (spec.type === 'secret') {
        if (typeof value === 'string') host.secrets.put(name, spec.version, value)
        else host.secrets.generate(name)
      } else {
        if (spec.type === 'storage') await host.storage.create(name)
        host.store.putResource(name, spec)
      }
      host.changed()
      return view(host, name)
    },
  },
  {
    method: 'GET',
    path: /^\/v1\/resources\/([^/]+)\/dead-letters$/,
    handle: ({ host, parts: [name = ''] }) => host.queue.dead(name),
  },
  {
    method: 'DELETE',
    path: /^\/v1\/resources\/([^/]+)$/,
    handle: async ({ host, parts: [name = ''] }) => {
      const resource = host.store.resource(name)
      if (!resource) return {}
      const { type } = resource.spec
      if (type === 'storage') await host.storage.drop(name)
      if (type === 'kv') host.kv.drop(name)
      if (type === 'queue') host.queue.drop(name)
      if (type === 'postgres') await host.postgres.remove(name)
      // The record goes last: a delete that was cut short is found and done again.
      host.store.deleteResource(name)
      return {}
    },
  },
]

async function view(host: Host, name: string): Promise<ResourceView> {
  const resource = host.store.resource(name)
  if (!resource) throw notFound(`resource ${name}`)
  const { spec, revision } = resource
  return { revision, spec, ...(await state(host, name, spec)) }
}

async function state(
  host: Host,
  name: string,
  spec: ResourceSpec,
): Promise<Pick<ResourceView, 'status' | 'message' | 'outputs'>> {
  const ok = { status: 'ok', message: null } as const
  switch (spec.type) {
    case 'storage': {
      const there = await stat(join(host.places.storage, name)).catch(() => null)
      if (there) return { ...ok, outputs: {} }
      return { status: 'missing', message: `The directory storage/${name} is gone.`, outputs: {} }
    }
    case 'kv':
      return { ...ok, outputs: {} }
    case 'queue':
      return { ...ok, outputs: host.queue.counts(name) }
    case 'secret':
      return { ...ok, outputs: { version: spec.version, fingerprint: host.secrets.fingerprint(name, spec.version) } }
    case 'postgres': {
      const { status, message, port } = host.postgres.view(name)
      return { status, message, outputs: port === null ? {} : { host: '127.0.0.1', port, database: 'postgres' } }
    }
  }
}
