import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

export interface AuditFilter {
  project: string
  /** Only this deployment's chain; without it the whole project. */
  deployment?: string
  type?: string | undefined
  actor?: string | undefined
  limit: number
  after?: string | undefined
}

/** Entries newest first, and the cursor of the next page. `type` matches itself and what is below it (`rollout` → `rollout.aborted`). */
export async function listAudit(db: Database, filter: AuditFilter) {
  let query = db
    .selectFrom('audit_entries')
    .selectAll()
    .where('project', '=', filter.project)
    .orderBy('at', 'desc')
    .orderBy('chain', 'desc')
    .orderBy('number', 'desc')
    .limit(filter.limit + 1)
  if (filter.deployment !== undefined) query = query.where('chain', '=', filter.deployment)
  const { type, actor } = filter
  if (type !== undefined) {
    query = query.where((where) =>
      where.or([where('type', '=', type), where(sql`starts_with(type, ${`${type}.`})`, '=', true)]),
    )
  }
  if (actor !== undefined) query = query.where('actor', '=', actor)
  if (filter.after !== undefined) {
    const { at, chain, number } = cursorOf(filter.after)
    query = query.where(sql<boolean>`(at, chain, number) < (${at}, ${chain}, ${number})`)
  }
  const rows = await query.execute()
  const items = rows.slice(0, filter.limit).map((row) => ({
    deployment: row.deployment,
    number: row.number,
    at: row.at.toISOString(),
    type: row.type,
    actor: row.actor,
    code: row.code,
    message: row.message,
    resource: row.resource,
    data: row.data,
    previous: row.previous,
    hash: row.hash,
  }))
  const last = rows[filter.limit - 1]
  const more = rows.length > filter.limit && last !== undefined
  return { items, next: more ? `${last.at.getTime()}~${last.number}~${last.chain}` : null }
}

function cursorOf(text: string): { at: Date; chain: string; number: number } {
  const match = /^(\d{1,15})~(\d{1,15})~(.{1,200})$/.exec(text)
  if (!match?.[3]) {
    throw new LandfallError({
      code: 'E_INVALID_REQUEST',
      message: '`after` is not a cursor of this list.',
      hint: 'Take `next` of the page before, unchanged.',
    })
  }
  return { at: new Date(Number(match[1])), number: Number(match[2]), chain: match[3] }
}
