import { randomUUID } from 'node:crypto'
import type { DeadLetter } from '../../shared/control.ts'
import type { Sql } from '../../shared/sql.ts'
import { badRequest, missing, Refusal } from './refusal.ts'
import { type BindingRequest, readLimited, sendJson } from './request.ts'

const maxMessage = 256 * 1024
const maxWaiting = 1_000_000

export interface Message {
  id: string
  body: Uint8Array
  type: string
  enqueued: number
  /** Counts deliveries, from 1. */
  attempt: number
}

/** Messages that stay until they are acknowledged: at least once, in no order, dead letters after the last delivery. */
export class Queue {
  readonly #sql: Sql
  readonly #onSent: () => void

  constructor(sql: Sql, onSent: () => void) {
    this.#sql = sql
    this.#onSent = onSent
  }

  async handle({ resource, request, response, path }: BindingRequest): Promise<void> {
    if (path.length !== 1 || path[0] !== 'messages') throw missing('such address of a queue')
    if (request.method !== 'POST') throw badRequest('Messages can only be sent here; they are received by a trigger.')
    const body = await readLimited(request, maxMessage, 'The message')
    if (this.counts(resource).waiting >= maxWaiting) {
      throw new Refusal(429, 'E_QUEUE_FULL', 'The queue is full.', 'Let the consumers catch up, then send again.')
    }
    const id = randomUUID()
    const now = Date.now()
    this.#sql.run(
      'INSERT INTO messages (resource, id, body, type, enqueued, visible) VALUES (?, ?, ?, ?, ?, ?)',
      ...[resource, id, body, request.headers['content-type'] ?? 'application/octet-stream', now, now],
    )
    this.#onSent()
    sendJson(response, 201, { id })
  }

  /** Takes the next visible message for `ms`; counted as a delivery even if the daemon is killed right after. */
  take(resource: string, ms: number): Message | null {
    const now = Date.now()
    return this.#sql.get<Message>(
      `UPDATE messages SET attempt = attempt + 1, visible = ? WHERE seq =
         (SELECT seq FROM messages WHERE resource = ? AND visible <= ? ORDER BY visible, seq LIMIT 1)
       RETURNING id, body, type, enqueued, attempt`,
      ...[now + ms, resource, now],
    )
  }

  acknowledge(id: string): void {
    this.#sql.run('DELETE FROM messages WHERE id = ?', id)
  }

  /** Makes a message visible again after `ms`, or moves it to the dead letters after its last delivery. */
  reject(message: Message, ms: number, maxDeliveries: number, error: string): void {
    if (message.attempt < maxDeliveries) {
      this.#sql.run('UPDATE messages SET visible = ? WHERE id = ?', Math.ceil(Date.now() + ms), message.id)
      return
    }
    this.#sql.transaction(() => {
      this.#sql.run(
        `INSERT INTO dead (resource, id, body, type, enqueued, attempts, error, at)
         SELECT resource, id, body, type, enqueued, attempt, ?, ? FROM messages WHERE id = ?`,
        ...[error, Date.now(), message.id],
      )
      this.#sql.run('DELETE FROM messages WHERE id = ?', message.id)
    })
  }

  /** When the next message becomes visible; null when there is none. */
  nextVisible(resource: string): number | null {
    const row = this.#sql.get<{ at: number | null }>(
      'SELECT min(visible) AS at FROM messages WHERE resource = ?',
      resource,
    )
    return row?.at ?? null
  }

  counts(resource: string): { waiting: number; dead: number } {
    const count = (table: string) =>
      this.#sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE resource = ?`, resource)?.n ?? 0
    return { waiting: count('messages'), dead: count('dead') }
  }

  /** The newest dead letters, at most 100. */
  dead(resource: string): DeadLetter[] {
    return this.#sql
      .all<{ id: string; body: Uint8Array; type: string; attempts: number; error: string; at: number }>(
        'SELECT id, body, type, attempts, error, at FROM dead WHERE resource = ? ORDER BY seq DESC LIMIT 100',
        resource,
      )
      .map(({ body, type, ...row }) => ({ ...row, contentType: type, body: Buffer.from(body).toString('base64') }))
  }

  drop(resource: string): void {
    this.#sql.transaction(() => {
      this.#sql.run('DELETE FROM messages WHERE resource = ?', resource)
      this.#sql.run('DELETE FROM dead WHERE resource = ?', resource)
    })
  }
}
