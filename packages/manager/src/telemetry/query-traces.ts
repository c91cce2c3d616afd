import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

export interface TraceQuery {
  deployment: string
  /** Milliseconds, both inclusive; by when a span began. */
  since: number
  until: number
  limit: number
  /** Traces that this worker, or version, had a part in. */
  worker?: string | undefined
  version?: string | undefined
  minDurationMs?: number | undefined
  /** Only those with a failed span. */
  errors?: boolean | undefined
}

/** Spans that one question looks at: of a busy hour the newest. */
const maxLookedAt = 50_000

/** Traces of a time, newest first, each summed up from its spans that began in it. */
export async function queryTraces(db: Database, query: TraceQuery) {
  const { deployment, worker = null, version = null, minDurationMs = 0, errors = false } = query
  const { rows } = await sql<SummaryRow>`
    select trace, min(at) as at,
      extract(epoch from max(at + duration_ms * interval '1 millisecond') - min(at)) * 1000 as duration,
      (array_agg(name order by (parent is null) desc, at))[1] as name,
      count(*) as spans, count(*) filter (where status = 2) as errors,
      array_remove(array_agg(distinct worker), null) as workers, array_remove(array_agg(distinct version), null) as versions
    from (
      select * from spans
      where deployment = ${deployment} and at >= ${new Date(query.since)} and at <= ${new Date(query.until)}
      order by at desc limit ${maxLookedAt}
    ) s
    group by trace
    having (${worker}::text is null or bool_or(worker = ${worker}))
      and (${version}::text is null or bool_or(version = ${version}))
      and (not ${errors}::boolean or bool_or(status = 2))
      and extract(epoch from max(at + duration_ms * interval '1 millisecond') - min(at)) * 1000 >= ${minDurationMs}
    order by min(at) desc, trace
    limit ${query.limit}`.execute(db)
  return rows.map((row) => ({
    trace: row.trace,
    at: row.at.toISOString(),
    durationMs: round(Number(row.duration)),
    name: row.name,
    spans: row.spans,
    errors: row.errors,
    workers: row.workers,
    versions: row.versions,
  }))
}

interface SummaryRow {
  trace: string
  at: Date
  duration: string
  name: string
  spans: number
  errors: number
  workers: string[]
  versions: string[]
}

export const round = (ms: number): number => Math.round(ms * 1_000) / 1_000
