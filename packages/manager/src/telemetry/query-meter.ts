import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { StoredHistogram } from '../store/tables/telemetry.ts'
import { quantile } from './histogram.ts'
import { type Increment, increments, type StreamPoint } from './increments.ts'
import { binWidth } from './query-metrics.ts'

export interface MeterSeries {
  metric: string
  shows: 'rate' | 'value' | 'mean' | 'p50' | 'p90' | 'p99'
  unit: string
  worker: string
  version: string
  labels: Record<string, unknown>
  points: [number, number | null][]
}

const maxPoints = 100_000
const maxGroups = 50

/** The workers' own metrics of a deployment. */
export async function listMeters(db: Database, deployment: string) {
  return db
    .selectFrom('metric_names')
    .select(['metric', 'unit', 'kind'])
    .where('deployment', '=', deployment)
    .orderBy('metric')
    .execute()
}

/**
 * One of the workers' own metrics over time, per worker, version and attributes. Counters become rates per second, summed over
 * instances; of a gauge its last value in each bin, the mean of the instances; of a histogram rate, mean and quantiles in its own
 * unit. `more`: how many groups of series are not given, since there are too many.
 */
export async function queryMeter(
  db: Database,
  query: { deployment: string; metric: string; worker?: string | undefined; since: number; until: number },
): Promise<{ series: MeterSeries[]; through: number | null; more: number }> {
  const since = new Date(query.since)
  const matches = sql`deployment = ${query.deployment} and metric = ${query.metric}
    and (${query.worker ?? null}::text is null or worker = ${query.worker ?? null})`
  const columns = sql`worker, version, series, unit, kind, at, value, histogram, attributes, start_at, cumulative`
  const { rows } = await sql<PointRow>`
    select * from (
      (select ${columns} from metric_points where ${matches} and at >= ${since} and at <= ${new Date(query.until)}
        order by at desc limit ${maxPoints})
      union all
      (select distinct on (worker, version, series) ${columns} from metric_points
        where ${matches} and cumulative and at < ${since} and at >= ${new Date(query.since - 3_600_000)}
        order by worker, version, series, at desc)
    ) points order by at`.execute(db)
  const groups = [...Map.groupBy(rows, groupOf).values()]
  const width = binWidth(query.until - query.since)
  return {
    series: groups.slice(0, maxGroups).flatMap((group) => seriesOf(query.metric, group, query.since, width)),
    through: rows.at(-1)?.at.getTime() ?? null,
    more: Math.max(0, groups.length - maxGroups),
  }
}

interface PointRow {
  worker: string
  version: string
  series: string
  unit: string
  kind: 'counter' | 'gauge' | 'histogram'
  at: Date
  value: number | null
  histogram: StoredHistogram | null
  attributes: Record<string, unknown>
  start_at: Date | null
  cumulative: boolean
}

const groupOf = ({ worker, version, kind, attributes }: PointRow) =>
  JSON.stringify([worker, version, kind, Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))])

function seriesOf(metric: string, group: readonly PointRow[], since: number, width: number): MeterSeries[] {
  const [first] = group
  if (!first) return []
  const { worker, version, unit, attributes: labels } = first
  const binOf = (at: number) => Math.floor(at / width) * width
  const streams = [...Map.groupBy(group, (row) => row.series).values()]
  const make = (shows: MeterSeries['shows'], of: string, points: MeterSeries['points']): MeterSeries => ({
    metric,
    shows,
    unit: of,
    worker,
    version,
    labels,
    points,
  })
  if (first.kind === 'gauge') return [make('value', unit, gaugePoints(streams, binOf))]
  const grown = streams.flatMap((stream) => increments(stream.map(pointOf), since))
  const bins = [...Map.groupBy(grown, (each) => binOf(each.at))].sort(([a], [b]) => a - b)
  const over = (pick: (increment: Increment[]) => number | null): MeterSeries['points'] =>
    bins.map(([at, inside]) => [at, pick(inside)])
  const sum = (inside: Increment[], of: 'count' | 'sum') => inside.reduce((total, each) => total + each[of], 0)
  const seconds = width / 1_000
  if (first.kind === 'counter')
    return [
      make(
        'rate',
        `${unit || '1'}/s`,
        over((inside) => sum(inside, 'sum') / seconds),
      ),
    ]
  const bounds = first.histogram?.bounds ?? []
  const buckets = (inside: Increment[]) =>
    Array.from({ length: bounds.length + 1 }, (_, i) =>
      inside.reduce((total, each) => total + (each.buckets[i] ?? 0), 0),
    )
  return [
    make(
      'rate',
      '1/s',
      over((inside) => sum(inside, 'count') / seconds),
    ),
    make(
      'mean',
      unit,
      over((inside) => sum(inside, 'sum') / sum(inside, 'count')),
    ),
    ...([0.5, 0.9, 0.99] as const).map((q) =>
      make(
        `p${q * 100}` as 'p50',
        unit,
        over((inside) => quantile(q, bounds, buckets(inside))),
      ),
    ),
  ]
}

/** A counter is told as a histogram without buckets, whose count and sum are its value. */
function pointOf(row: PointRow): StreamPoint {
  const at = row.at.getTime()
  const startAt = row.start_at?.getTime() ?? 0
  if (row.histogram) {
    const { count, sum, counts } = row.histogram
    return { at, startAt, cumulative: row.cumulative, count, sum, buckets: counts }
  }
  const value = row.value ?? 0
  return { at, startAt, cumulative: row.cumulative, count: value, sum: value, buckets: [] }
}

function gaugePoints(streams: readonly (readonly PointRow[])[], binOf: (at: number) => number): MeterSeries['points'] {
  const bins = new Map<number, Map<string, number>>()
  for (const row of streams.flat()) {
    const at = binOf(row.at.getTime())
    const bin = bins.get(at) ?? new Map<string, number>()
    bins.set(at, bin.set(row.series, row.value ?? 0))
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return [...bins].sort(([a], [b]) => a - b).map(([at, bin]) => [at, mean([...bin.values()])])
}
