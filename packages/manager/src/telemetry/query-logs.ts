import { type Severity, severityName, severityNumber } from '@landfall/telemetry'
import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../store/database.ts'
import { type Arrival, arrivalText, cursorOf } from './log-cursor.ts'

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
  trace?: string | undefined
}

/**
 * Log lines, oldest first. `next` is where a follower goes on, also when there are no more now: it names what was visible, so that
 * with it come exactly the lines that arrived since, each once, however old they are by their own clock (what an agent kept while
 * it had no network). With the `id` of a line come those behind it by time. Who reads back asks with `until` of the oldest line.
 */
export async function queryLogs(db: Database, query: LogQuery) {
  const cursor = query.after === undefined ? null : cursorOf(query.after)
  const conditions = filters(query)
  if (cursor && 'snapshot' in cursor) return follow(db, query.limit, cursor, conditions)
  if (cursor) {
    const instant = sql`timestamptz 'epoch' + ${cursor.micros}::bigint * interval '1 microsecond'`
    // The first condition lets the planner leave older days out.
    conditions.push(sql`at >= ${instant}`, sql`(at, id) > (${instant}, ${cursor.id})`)
  }
  const order = cursor ? sql`at, id` : sql`at desc, id desc`
  const { rows } = await read(db, order, query.limit, conditions)
  if (!cursor) rows.lines.reverse()
  const last = rows.lines.at(-1)
  // Forward by time it goes on by time; the newest page is where following begins.
  const next = cursor ? (last ? `${last.micros}~${last.id}` : (query.after ?? null)) : arrivalText(rows)
  return { items: rows.lines.map(shown), next }
}

async function follow(db: Database, limit: number, cursor: Arrival, conditions: RawBuilder<unknown>[]) {
  const { snapshot, upTo, behind } = cursor
  const seen = sql`${snapshot}::pg_snapshot`
  conditions.push(
    sql`xid >= pg_snapshot_xmin(${seen})`,
    sql`not pg_visible_in_snapshot(xid, ${seen})`,
    // A database that was restored holds numbers of transactions that it has not come to yet.
    sql`xid < pg_snapshot_xmax(pg_current_snapshot())`,
  )
  if (upTo) conditions.push(sql`pg_visible_in_snapshot(xid, ${upTo}::pg_snapshot)`)
  if (behind) {
    const instant = sql`timestamptz 'epoch' + ${behind.micros}::bigint * interval '1 microsecond'`
    conditions.push(sql`(xid, at, id) > (${behind.xid}::xid8, ${instant}, ${behind.id})`)
  }
  const { rows } = await read(db, sql`xid, at, id`, limit, conditions)
  const last = rows.lines.at(-1)
  const until = upTo ?? rows.snapshot
  // A full page: the rest of the same arrivals comes with the next one, and only then what arrived later.
  const next =
    last && rows.lines.length === limit
      ? arrivalText({ snapshot, upTo: until, behind: last })
      : arrivalText({ snapshot: until })
  return { items: rows.lines.map(shown), next }
}

function filters(query: LogQuery): RawBuilder<unknown>[] {
  const all = [sql`deployment = ${query.deployment}`]
  if (query.since !== undefined) all.push(sql`at >= ${new Date(query.since)}`)
  if (query.until !== undefined) all.push(sql`at <= ${new Date(query.until)}`)
  if (query.worker !== undefined) all.push(sql`worker = ${query.worker}`)
  if (query.version !== undefined) all.push(sql`version = ${query.version}`)
  if (query.severity !== undefined) all.push(sql`severity >= ${severityNumber(query.severity)}`)
  if (query.text !== undefined) all.push(sql`body ilike ${`%${query.text.replace(/[\\%_]/g, '\\$&')}%`}`)
  if (query.trace !== undefined) all.push(sql`trace = ${query.trace}`)
  return all
}

interface Line {
  id: string
  at: Date
  severity: number
  worker: string | null
  version: string | null
  body: string
  attributes: Record<string, unknown>
  trace: string | null
  micros: string
  xid: string
}

/** The lines, and the snapshot they were seen with: one statement has one. */
async function read(
  db: Database,
  order: RawBuilder<unknown>,
  limit: number,
  conditions: readonly RawBuilder<unknown>[],
): Promise<{ rows: { lines: Line[]; snapshot: string } }> {
  const { rows } = await sql<(Line | Record<keyof Line, null>) & { snapshot: string }>`
    select s.snapshot, l.*
    from (select pg_current_snapshot()::text as snapshot) s
    left join lateral (
      select id, at, severity, worker, version, body, attributes, trace, xid::text as xid,
        (extract(epoch from at) * 1000000)::bigint::text as micros, row_number() over (order by ${order}) as place
      from logs where ${sql.join(conditions, sql` and `)}
      order by ${order} limit ${limit}
    ) l on true
    order by l.place`.execute(db)
  const lines = rows.flatMap((row) => (row.id === null ? [] : [row as Line]))
  return { rows: { lines, snapshot: rows[0]?.snapshot ?? '' } }
}

const shown = (row: Line) => ({
  id: `${row.micros}~${row.id}`,
  at: row.at.toISOString(),
  severity: severityName(row.severity),
  worker: row.worker,
  version: row.version,
  body: row.body,
  attributes: row.attributes,
  trace: row.trace,
})
