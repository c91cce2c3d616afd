import { LandfallError } from '@landfall/stack'
import { type Severity, severityName, severityNumber } from '@landfall/telemetry'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

export interface LogQuery {
  deployment: string
  limit: number
  /** Only lines behind this cursor, oldest first; without it the newest `limit` lines. */
  after?: string | undefined
  /** ISO 8601, both inclusive. */
  since?: string | undefined
  until?: string | undefined
  worker?: string | undefined
  version?: string | undefined
  /** This and what is worse. */
  severity?: Severity | undefined
  text?: string | undefined
}

/**
 * Log lines, oldest first. `next` is the cursor of the newest line given, also when there are no more now: who follows asks with
 * it again. Who reads back asks with `until` of the oldest line.
 */
export async function queryLogs(db: Database, query: LogQuery) {
  const after = query.after === undefined ? null : cursorOf(query.after)
  let select = db
    .selectFrom('logs')
    .select(['id', 'at', 'severity', 'worker', 'version', 'body', 'attributes', 'trace'])
    .select(sql<number>`(extract(epoch from at) * 1000000)::bigint`.as('micros'))
    .where('deployment', '=', query.deployment)
    .orderBy('at', after ? 'asc' : 'desc')
    .orderBy('id', after ? 'asc' : 'desc')
    .limit(query.limit)
  if (after) {
    const instant = sql`timestamptz 'epoch' + ${after.micros}::bigint * interval '1 microsecond'`
    // The first condition lets the planner leave older days out.
    select = select.where(sql<boolean>`at >= ${instant} and (at, id) > (${instant}, ${after.id})`)
  }
  if (query.since !== undefined) select = select.where('at', '>=', new Date(query.since))
  if (query.until !== undefined) select = select.where('at', '<=', new Date(query.until))
  if (query.worker !== undefined) select = select.where('worker', '=', query.worker)
  if (query.version !== undefined) select = select.where('version', '=', query.version)
  if (query.severity !== undefined) select = select.where('severity', '>=', severityNumber(query.severity))
  if (query.text !== undefined) select = select.where('body', 'ilike', `%${query.text.replace(/[\\%_]/g, '\\$&')}%`)
  const rows = await select.execute()
  if (!after) rows.reverse()
  const last = rows.at(-1)
  return {
    items: rows.map((row) => ({
      id: `${row.micros}~${row.id}`,
      at: row.at.toISOString(),
      severity: severityName(row.severity),
      worker: row.worker,
      version: row.version,
      body: row.body,
      attributes: row.attributes,
      trace: row.trace,
    })),
    next: last ? `${last.micros}~${last.id}` : (query.after ?? null),
  }
}

function cursorOf(text: string): { micros: string; id: string } {
  const match = /^(\d{1,17})~([0-9a-zA-Z]{1,64})$/.exec(text)
  if (match?.[1] && match[2]) return { micros: match[1], id: match[2] }
  throw new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: '`after` is not a cursor of this list.',
    hint: 'Take `next` of the page before, or the `id` of a line.',
  })
}
