import type { Sql } from '../../shared/sql.ts'
import { nextSequence, prefixEnd } from '../store/data-store.ts'
import { badRequest, missing } from './refusal.ts'
import { type BindingRequest, checkPreconditions, page, readLimited, sendJson } from './request.ts'

const maxValue = 64 * 1024
const maxKey = 1_024

interface Row {
  key: string
  version: number
  value: Uint8Array
}

/** Collections of small values with compare-and-set by version, and a time to live that is enforced when reading. */
export class Kv {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async handle(call: BindingRequest): Promise<void> {
    const [root, collection, key] = call.path
    if (root !== 'items' || !collection || call.path.length > 3) throw missing('such address of a kv')
    if (key === undefined) {
      if (call.request.method !== 'GET') throw badRequest('A collection can only be listed.')
      return this.#list(call, collection)
    }
    if (key === '' || Buffer.byteLength(key) > maxKey || Buffer.byteLength(collection) > maxKey) {
      throw badRequest(`Keys and collections have 1 to ${maxKey} bytes.`)
    }
    switch (call.request.method) {
      case 'GET':
        return this.#get(call, collection, key)
      case 'PUT':
        return this.#put(call, collection, key)
      case 'DELETE':
        return this.#delete(call, collection, key)
      default:
        throw badRequest('An item is read, put or deleted.')
    }
  }

  /** Deletes what has expired, in small portions; called at intervals. */
  sweep(now: number): void {
    this.#sql.run(
      'DELETE FROM items WHERE rowid IN (SELECT rowid FROM items WHERE expires IS NOT NULL AND expires <= ? LIMIT 500)',
      now,
    )
  }

  drop(resource: string): void {
    this.#sql.run('DELETE FROM items WHERE resource = ?', resource)
  }

  #read(resource: string, collection: string, key: string): Row | null {
    return this.#sql.get<Row>(
      `SELECT key, version, value FROM items
       WHERE resource = ? AND collection = ? AND key = ? AND (expires IS NULL OR expires > ?)`,
      ...[resource, collection, key, Date.now()],
    )
  }

  #get({ resource, response }: BindingRequest, collection: string, key: string): void {
    const row = this.#read(resource, collection, key)
    if (!row) throw missing(`item ${key}`)
    response.writeHead(200, {
      etag: tag(row),
      'content-type': 'application/octet-stream',
      'content-length': row.value.length,
    })
    response.end(row.value)
  }

  async #put({ resource, request, response }: BindingRequest, collection: string, key: string): Promise<void> {
    const value = await readLimited(request, maxValue, 'The value')
    const ttl = request.headers['landfall-ttl-ms']
    const ttlMs = ttl === undefined ? null : Number(ttl)
    if (ttlMs !== null && !(ttlMs > 0)) throw badRequest('`Landfall-Ttl-Ms` must be a positive number.')
    const version = this.#sql.transaction(() => {
      const before = this.#read(resource, collection, key)
      checkPreconditions(request.headers, before && tag(before))
      const next = nextSequence(this.#sql)
      this.#sql.run(
        'INSERT OR REPLACE INTO items (resource, collection, key, version, value, expires) VALUES (?, ?, ?, ?, ?, ?)',
        ...[resource, collection, key, next, value, ttlMs === null ? null : Math.ceil(Date.now() + ttlMs)],
      )
      return next
    })
    response.writeHead(204, { etag: `"${version}"` })
    response.end()
  }

  #delete({ resource, request, response }: BindingRequest, collection: string, key: string): void {
    this.#sql.transaction(() => {
      const before = this.#read(resource, collection, key)
      checkPreconditions(request.headers, before && tag(before))
      if (!before) throw missing(`item ${key}`)
      this.#sql.run('DELETE FROM items WHERE resource = ? AND collection = ? AND key = ?', resource, collection, key)
    })
    response.writeHead(204)
    response.end()
  }

  #list({ resource, response, query }: BindingRequest, collection: string): void {
    const { prefix, after, limit } = page(query)
    const rows = this.#sql.all<Row>(
      `SELECT key, version, value FROM items
       WHERE resource = ? AND collection = ? AND key >= ? AND key < ? AND key > ? AND (expires IS NULL OR expires > ?)
       ORDER BY key LIMIT ?`,
      ...[resource, collection, prefix, prefixEnd(prefix), after, Date.now(), limit + 1],
    )
    const items = rows
      .slice(0, limit)
      .map(({ key, version, value }) => ({ key, version, value: Buffer.from(value).toString('base64') }))
    sendJson(response, 200, { items, next: rows.length > limit ? (items.at(-1)?.key ?? null) : null })
  }
}

function tag(row: Row): string {
  return `"${row.version}"`
}
