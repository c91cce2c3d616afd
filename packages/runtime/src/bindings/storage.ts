import { RuntimeError } from '../errors/runtime-error.ts'
import type { BindingClient, RequestBody } from './binding-client.ts'
import { etagOf, type Precondition, preconditionHeaders } from './etag.ts'
import { encodeKey, encodePrefix } from './key.ts'
import { pages } from './pages.ts'

export interface ObjectInfo {
  key: string
  /** Changes with every write. */
  etag: string
  /** Bytes. */
  size: number
  contentType: string
  modifiedAt: Date | undefined
}

export interface StoredObject extends ObjectInfo {
  /** The content; may be read once, in one of these ways. */
  body: ReadableStream<Uint8Array>
  bytes(): Promise<Uint8Array>
  text(): Promise<string>
  json<T = unknown>(): Promise<T>
}

/** Bytes, text, a stream of bytes, or anything else as JSON. */
export type Content = Uint8Array | string | ReadableStream<Uint8Array> | Blob | { readonly json: unknown }

interface Call {
  signal?: AbortSignal
}

/** Whole objects under keys. */
export interface Storage {
  /** undefined: there is none. */
  get(key: string, call?: Call): Promise<StoredObject | undefined>
  head(key: string, call?: Call): Promise<ObjectInfo | undefined>
  /** @throws RuntimeError `E_PRECONDITION_FAILED` when `ifMatch` or `ifNoneMatch` does not hold. */
  put(
    key: string,
    content: Content,
    options?: Call & Precondition & { contentType?: string },
  ): Promise<{ etag: string }>
  /** Whether there was one. @throws RuntimeError `E_PRECONDITION_FAILED` */
  delete(key: string, options?: Call & { ifMatch?: string }): Promise<boolean>
  /** In the order of the keys' UTF-8 bytes. `pageSize`: how many are asked for at a time. */
  list(options?: Call & { prefix?: string; pageSize?: number }): AsyncGenerator<ObjectInfo, void, undefined>
}

/** A stream may take as long as the longest request of a worker. */
const uploadMs = 900_000

export function storageOf(client: BindingClient): Storage {
  const pathOf = (key: string) => `/objects/${encodeKey(key, 'storage')}`
  return {
    async get(key, call = {}) {
      const response = await client.request({ method: 'GET', path: pathOf(key), expect: [404], ...call })
      if (response.status === 404) return void (await response.body?.cancel())
      return {
        ...infoOf(key, response),
        body: response.body ?? new ReadableStream({ start: (controller) => controller.close() }),
        bytes: () => response.bytes(),
        text: () => response.text(),
        json: <T>() => response.json() as Promise<T>,
      }
    },

    async head(key, call = {}) {
      const response = await client.request({ method: 'HEAD', path: pathOf(key), expect: [404], ...call })
      return response.status === 404 ? undefined : infoOf(key, response)
    },

    async put(key, content, { contentType, ifMatch, ifNoneMatch, ...call } = {}) {
      const { body, type } = encode(content)
      const response = await client.request({
        method: 'PUT',
        path: pathOf(key),
        headers: { 'content-type': contentType ?? type, ...preconditionHeaders(definedOf({ ifMatch, ifNoneMatch })) },
        body,
        deadlineMs: uploadMs,
        expect: [412],
        ...call,
      })
      await response.body?.cancel()
      if (response.status === 412) throw preconditionFailed(`The object "${key}"`)
      return { etag: etagOf(response.headers.get('etag')) }
    },

    async delete(key, { ifMatch, ...call } = {}) {
      const headers = preconditionHeaders(definedOf({ ifMatch }))
      const response = await client.request({
        method: 'DELETE',
        path: pathOf(key),
        headers,
        expect: [404, 412],
        ...call,
      })
      await response.body?.cancel()
      if (response.status === 412) throw preconditionFailed(`The object "${key}"`)
      return response.status !== 404
    },

    list({ prefix = '', pageSize, signal } = {}) {
      const query = { prefix: encodePrefix(prefix), limit: pageSize?.toString() }
      return pages(client, '/objects', 'objects', query, readInfo, signal)
    },
  }
}

function encode(content: Content): { body: RequestBody; type: string } {
  if (typeof content === 'string') return { body: content, type: 'text/plain; charset=utf-8' }
  if (content instanceof Uint8Array) return { body: new Uint8Array(content), type: 'application/octet-stream' }
  if (content instanceof Blob) return { body: content, type: content.type || 'application/octet-stream' }
  if (content instanceof ReadableStream) return { body: content, type: 'application/octet-stream' }
  return { body: JSON.stringify(content.json) ?? 'null', type: 'application/json' }
}

function infoOf(key: string, response: Response): ObjectInfo {
  const modified = Date.parse(response.headers.get('last-modified') ?? '')
  return {
    key,
    etag: etagOf(response.headers.get('etag')),
    size: Number(response.headers.get('content-length') ?? 0),
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
    modifiedAt: Number.isNaN(modified) ? undefined : new Date(modified),
  }
}

function readInfo(entry: Readonly<Record<string, unknown>>): ObjectInfo {
  const { key, etag, size, contentType, modifiedAt } = entry
  const modified = typeof modifiedAt === 'number' || typeof modifiedAt === 'string' ? new Date(modifiedAt) : undefined
  return {
    key: String(key),
    etag: etagOf(String(etag)),
    size: Number(size),
    contentType: typeof contentType === 'string' ? contentType : 'application/octet-stream',
    modifiedAt: modified,
  }
}

export const preconditionFailed = (what: string) =>
  new RuntimeError({
    code: 'E_PRECONDITION_FAILED',
    message: `${what} is not as the write expected: someone else was first.`,
    hint: 'Read it again, decide again, and write with what was read.',
  })

/** Without the members that are undefined, for options with exact optional members. */
export function definedOf<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
