import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { StreamPoint } from './increments.ts'
import { durationMetric } from './rows/metric-rows.ts'

/** One stream of request durations: the points of one counter, in order of time. */
export interface RequestStream {
  worker: string
  version: string
  versionId: string | null
  source: 'router' | 'worker'
  error: boolean
  boundsMs: readonly number[]
  points: StreamPoint[]
}

const maxPoints = 100_000

/**
 * Request durations of a deployment between two instants (milliseconds), and each stream's last point of the hour before, so that
 * its growth can be told. At most a bounded number of points, the newest.
 */
export async function readPoints(
  db: Database,
  query: {
    deployment: string
    worker?: string | undefined
    versionId?: string | undefined
    source?: 'router' | undefined
    since: number
    until: number
  },
): Promise<RequestStream[]> {
  const since = new Date(query.since)
  const matches = sql`deployment = ${query.deployment} and metric = ${durationMetric}
    and (${query.worker ?? null}::text is null or worker = ${query.worker ?? null})
    and (${query.versionId ?? null}::text is null or attributes ->> 'versionId' = ${query.versionId ?? null})
    and (${query.source ?? null}::text is null or attributes ->> 'source' = ${query.source ?? null})`
  const { rows } = await sql<PointRow>`
    select * from (
      (select worker, version, series, at, histogram, attributes from metric_points
        where ${matches} and at >= ${since} and at <= ${new Date(query.until)} order by at desc limit ${maxPoints})
      union all
      (select distinct on (worker, version, series) worker, version, series, at, histogram, attributes from metric_points
        where ${matches} and at < ${since} and at >= ${new Date(query.since - 3_600_000)}
        order by worker, version, series, at desc)
    ) points order by at`.execute(db)
  const streams = new Map<string, RequestStream>()
  for (const row of rows) {
    const key = `${row.worker}\n${row.version}\n${row.series}`
    const stream = streams.get(key) ?? streamOf(row)
    streams.set(key, stream)
    const { startAt, cumulative, count, sum: total, counts } = row.histogram
    stream.points.push({ at: row.at.getTime(), startAt, cumulative, count, sum: total, buckets: counts })
  }
  return [...streams.values()]
}

interface PointRow {
  worker: string
  version: string
  series: string
  at: Date
  histogram: {
    bounds: number[]
    counts: number[]
    sum: number
    count: number
    startAt: number
    cumulative: boolean
  }
  attributes: { versionId?: string; source: 'router' | 'worker'; error: boolean }
}

function streamOf(row: PointRow): RequestStream {
  const { versionId, source, error } = row.attributes
  const boundsMs = row.histogram.bounds
  return { worker: row.worker, version: row.version, versionId: versionId ?? null, source, error, boundsMs, points: [] }
}
