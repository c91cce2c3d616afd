import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { StoredHistogram } from '../store/tables/telemetry.ts'
import { durationMetric, type RequestPoint } from './rows/metric-rows.ts'

/** Writes points of many deployments in one statement; one that is there already is left. The days must be open. */
export async function insertPoints(
  db: Database,
  rows: readonly (RequestPoint & { deployment: string })[],
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into metric_points (deployment, at, worker, version, metric, series, unit, histogram, attributes)
    select deployment, timestamptz 'epoch' + at * interval '1 millisecond', worker, version, ${durationMetric}, series, 'ms',
      histogram::jsonb, attributes::jsonb
    from unnest(
      ${rows.map((row) => row.deployment)}::text[], ${rows.map((row) => Math.floor(row.at))}::bigint[],
      ${rows.map((row) => row.worker)}::text[], ${rows.map((row) => row.version)}::text[],
      ${rows.map((row) => row.series)}::text[], ${rows.map((row) => JSON.stringify(histogramOf(row)))}::text[],
      ${rows.map((row) => JSON.stringify(attributesOf(row)))}::text[]
    ) as t(deployment, at, worker, version, series, histogram, attributes)
    on conflict do nothing`.execute(db)
}

const histogramOf = ({ boundsMs, buckets, sum, count, startAt, cumulative }: RequestPoint): StoredHistogram => ({
  bounds: boundsMs,
  counts: buckets,
  sum,
  count,
  startAt,
  cumulative,
})

const attributesOf = ({ versionId, source, error }: RequestPoint) => ({
  ...(versionId === null ? {} : { versionId }),
  source,
  error,
})
