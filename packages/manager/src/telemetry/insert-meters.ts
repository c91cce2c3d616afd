import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { StoredHistogram } from '../store/tables/telemetry.ts'
import { jsonText } from './insert-logs.ts'
import type { MeterPoint } from './rows/meter-rows.ts'

/** Writes points of workers' own meters in one statement; one that is there already is left. The days must be open. */
export async function insertMeters(
  db: Database,
  rows: readonly (MeterPoint & { deployment: string })[],
): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into metric_points (deployment, at, worker, version, metric, series, unit, kind, value, histogram, attributes,
      start_at, cumulative)
    select deployment, timestamptz 'epoch' + at * interval '1 millisecond', worker, version, metric, series, unit, kind, value,
      histogram::jsonb, attributes::jsonb, timestamptz 'epoch' + start_at * interval '1 millisecond', cumulative
    from unnest(
      ${rows.map((row) => row.deployment)}::text[], ${rows.map((row) => Math.floor(row.at))}::bigint[],
      ${rows.map((row) => row.worker)}::text[], ${rows.map((row) => row.version)}::text[],
      ${rows.map((row) => row.metric)}::text[], ${rows.map((row) => row.series)}::text[],
      ${rows.map((row) => row.unit)}::text[], ${rows.map((row) => row.kind)}::text[],
      ${rows.map((row) => row.value)}::double precision[],
      ${rows.map((row) => (row.histogram ? JSON.stringify(stored(row, row.histogram)) : null))}::text[],
      ${rows.map((row) => jsonText(row.labels))}::text[], ${rows.map((row) => Math.floor(row.startAt))}::bigint[],
      ${rows.map((row) => row.cumulative)}::boolean[]
    ) as t(deployment, at, worker, version, metric, series, unit, kind, value, histogram, attributes, start_at, cumulative)
    on conflict do nothing`.execute(db)
}

const stored = (
  { startAt, cumulative }: MeterPoint,
  { bounds, buckets, sum, count }: NonNullable<MeterPoint['histogram']>,
): StoredHistogram => ({ bounds, counts: buckets, sum, count, startAt, cumulative })
