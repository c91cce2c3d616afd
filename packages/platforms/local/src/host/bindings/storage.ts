import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Sql } from '../../shared/sql.ts'
import { prefixEnd } from '../store/data-store.ts'
import { badRequest, missing } from './refusal.ts'
import { type BindingRequest, checkPreconditions, page, sendJson } from './request.ts'

const maxKey = 1_024

interface Row {
  key: string
  file: string
  etag: string
  size: number
  type: string
  modified: number
}

/** Called in the transaction of a change, so that change and event are written together or not at all. */
export type Outbox = (storage: string, event: 'created' | 'deleted', key: string, at: number) => void

/**
 * Whole objects: content in files that are never rewritten, the index in SQLite. An object changes by a new file and one
 * transaction, so a reader sees the old one or the new one.
 */
export class Storage {
  readonly #sql: Sql
  readonly #directory: string
  readonly #outbox: Outbox

  constructor(sql: Sql, directory: string, outbox: Outbox) {
    this.#sql = sql
    this.#directory = directory
    this.#outbox = outbox
  }

  async create(resource: string): Promise<void> {
    await mkdir(join(this.#directory, resource), { recursive: true, mode: 0o700 })
  }

  async drop(resource: string): Promise<void> {
    this.#sql.run('DELETE FROM objects WHERE resource = ?', resource)
    await rm(join(this.#directory, resource), { recursive: true, force: true })
  }

  /** Deletes files that no object names: what a kill left between file and transaction. At start only. */
  async sweep(resource: string): Promise<void> {
    const named = new Set(
      this.#sql.all<{ file: string }>('SELECT file FROM objects WHERE resource = ?', resource).map(({ file }) => file),
    )
    for (const file of await readdir(join(this.#directory, resource)).catch(() => [])) {
      if (!named.has(file)) await rm(this.#path(resource, file), { force: true })
    }
  }

  async handle(call: BindingRequest): Promise<void> {
    const [root, ...rest] = call.path
    const key = rest.join('/')
    if (root !== 'objects') throw missing('such address of a storage')
    if (key === '') {
      if (call.request.method !== 'GET') throw badRequest('Objects can only be listed here.')
      return this.#list(call)
    }
    if (Buffer.byteLength(key) > maxKey) throw badRequest(`A key has at most ${maxKey} bytes.`)
    switch (call.request.method) {
      case 'GET':
      case 'HEAD':
        return this.#get(call, key)
      case 'PUT':
        return this.#put(call, key)
      case 'DELETE':
        return this.#delete(call, key)
      default:
        throw badRequest('An object is read, put or deleted.')
    }
  }

  #path(resource: string, file: string): string {
    return join(this.#directory, resource, file)
  }

  #read(resource: string, key: string): Row | null {
    return this.#sql.get<Row>('SELECT * FROM objects WHERE resource = ? AND key = ?', resource, key)
  }

  async #get({ resource, request, response }: BindingRequest, key: string): Promise<void> {
    const row = this.#read(resource, key)
    if (!row) throw missing(`object ${key}`)
    // Opened before the answer begins: an overwrite that deletes the file meanwhile does not disturb the reader.
    const file = await open(this.#path(resource, row.file))
    try {
      checkPreconditions(request.headers, row.etag)
      response.writeHead(200, {
        etag: row.etag,
        'content-type': row.type,
        'content-length': row.size,
        'last-modified': new Date(row.modified).toUTCString(),
      })
      if (request.method === 'HEAD') response.end()
      else await pipeline(createReadStream('', { fd: file, autoClose: false }), response)
    } finally {
      await file.close()
    }
  }

  async #put({ resource, request, response }: BindingRequest, key: string): Promise<void> {
    checkPreconditions(request.headers, this.#read(resource, key)?.etag ?? null)
    const file = randomUUID()
    const path = this.#path(resource, file)
    try {
      const { etag, size } = await receive(request, path)
      const replaced = this.#sql.transaction(() => {
        const before = this.#read(resource, key)
        checkPreconditions(request.headers, before?.etag ?? null)
        const now = Date.now()
        this.#sql.run(
          'INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)',
          ...[resource, key, file, etag, size, request.headers['content-type'] ?? 'application/octet-stream', now],
        )
        this.#outbox(resource, 'created', key, now)
        return before
      })
      if (replaced) await rm(this.#path(resource, replaced.file), { force: true })
      response.writeHead(204, { etag })
      response.end()
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  async #delete({ resource, request, response }: BindingRequest, key: string): Promise<void> {
    const before = this.#sql.transaction(() => {
      const row = this.#read(resource, key)
      checkPreconditions(request.headers, row?.etag ?? null)
      if (!row) throw missing(`object ${key}`)
      this.#sql.run('DELETE FROM objects WHERE resource = ? AND key = ?', resource, key)
      this.#outbox(resource, 'deleted', key, Date.now())
      return row
    })
    await rm(this.#path(resource, before.file), { force: true })
    response.writeHead(204)
    response.end()
  }

  #list({ resource, response, query }: BindingRequest): void {
    const { prefix, after, limit } = page(query)
    const rows = this.#sql.all<Row>(
      'SELECT * FROM objects WHERE resource = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?',
      ...[resource, prefix, prefixEnd(prefix), after, limit + 1],
    )
    const objects = rows
      .slice(0, limit)
      .map(({ key, etag, size, type, modified }) => ({ key, etag, size, contentType: type, modifiedAt: modified }))
    sendJson(response, 200, { objects, next: rows.length > limit ? (objects.at(-1)?.key ?? null) : null })
  }
}

/** Streams a body into a new file, on disk when it returns. */
async function receive(request: IncomingMessage, path: string): Promise<{ etag: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      hash.update(part)
      size += part.length
      await file.write(part)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { etag: `"${hash.digest('hex')}"`, size }
}
