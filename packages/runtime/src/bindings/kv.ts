import { type Time, timeMs } from '../environment/duration.ts'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { BindingClient } from './binding-client.ts'
import { etagOf, preconditionHeaders } from './etag.ts'
import { encodeKey, encodePrefix } from './key.ts'
import { pages } from './pages.ts'
import { definedOf, preconditionFailed } from './storage.ts'

/** Longest value, in bytes of its JSON. */
export const maxValueBytes = 64 * 1024

export interface Item<T> {
  value: T
  /** Changes with every write; opaque. */
  version: string
}

export interface SetOptions {
  /** The value is gone after this time. */
  ttl?: Time
  /** Only if the value still has this version. */
  ifVersion?: string
  /** Only if there is no value. */
  ifAbsent?: boolean
}

/** Values of one kind under keys. Values are JSON. */
export interface Collection<T = unknown> {
  /** undefined: there is none, or its time is over. */
  get(key: string): Promise<Item<T> | undefined>
  /** @throws RuntimeError `E_PRECONDITION_FAILED` (`ifVersion`, `ifAbsent`), `E_TOO_LARGE` (above 64 KiB) */
  set(key: string, value: T, options?: SetOptions): Promise<{ version: string }>
  /** Whether there was one. @throws RuntimeError `E_PRECONDITION_FAILED` */
  delete(key: string, options?: { ifVersion?: string }): Promise<boolean>
  /** In the order of the keys' UTF-8 bytes. `pageSize`: how many are asked for at a time. */
  list(options?: { prefix?: string; pageSize?: number }): AsyncGenerator<Item<T> & { key: string }, void, undefined>
}

export interface Kv {
  collection<T = unknown>(name: string): Collection<T>
}

export function kvOf(client: BindingClient): Kv {
  return { collection: <T>(name: string) => collectionOf<T>(client, name) }
}

function collectionOf<T>(client: BindingClient, name: string): Collection<T> {
  const path = `/items/${encodeKey(name, 'collection')}`
  const pathOf = (key: string) => `${path}/${encodeKey(key, 'kv')}`
  return {
    async get(key) {
      const response = await client.request({ method: 'GET', path: pathOf(key), expect: [404] })
      if (response.status === 404) return void (await response.body?.cancel())
      return { value: JSON.parse(await response.text()) as T, version: etagOf(response.headers.get('etag')) }
    },

    async set(key, value, { ttl, ifVersion, ifAbsent } = {}) {
      const body = encodeValue(value)
      const response = await client.request({
        method: 'PUT',
        path: pathOf(key),
        headers: {
          'content-type': 'application/json',
          ...(ttl === undefined ? {} : { 'landfall-ttl-ms': String(timeMs(ttl)) }),
          ...preconditionHeaders(definedOf({ ifMatch: ifVersion, ifNoneMatch: ifAbsent ? ('*' as const) : undefined })),
        },
        body,
        expect: [412],
      })
      await response.body?.cancel()
      if (response.status === 412) throw preconditionFailed(`The item "${key}"`)
      return { version: etagOf(response.headers.get('etag')) }
    },

    async delete(key, { ifVersion } = {}) {
      const headers = preconditionHeaders(definedOf({ ifMatch: ifVersion }))
      const response = await client.request({ method: 'DELETE', path: pathOf(key), headers, expect: [404, 412] })
      await response.body?.cancel()
      if (response.status === 412) throw preconditionFailed(`The item "${key}"`)
      return response.status !== 404
    },

    list({ prefix = '', pageSize } = {}) {
      return pages(client, path, 'items', { prefix: encodePrefix(prefix), limit: pageSize?.toString() }, (entry) => ({
        key: String(entry.key),
        version: etagOf(String(entry.version)),
        value: JSON.parse(Buffer.from(String(entry.value), 'base64').toString()) as T,
      }))
    },
  }
}

function encodeValue(value: unknown): string {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError('a value of undefined, a function or a symbol is not JSON')
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxValueBytes) return json
  throw new RuntimeError({
    code: 'E_TOO_LARGE',
    message: `The value has ${bytes} bytes; a kv value has at most ${maxValueBytes}.`,
    hint: 'Put large content into storage, and its key into kv.',
  })
}
