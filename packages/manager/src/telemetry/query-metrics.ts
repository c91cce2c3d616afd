import type { Database } from '../store/database.ts'
import { quantile } from './histogram.ts'
import { type Increment, increments } from './increments.ts'
import { type RequestStream, readPoints } from './read-points.ts'

export interface MetricSeries {
  metric: 'requests' | 'errors' | 'latency-p50' | 'latency-p90' | 'latency-p99'
  unit: string
  worker: string
  version: string
  points: [number, number | null][]
}

const widths = [10, 15, 30, 60, 300, 900, 3_600, 21_600, 86_400].map((seconds) => seconds * 1_000)
const wantedBins = 120

/** Width of a bin in milliseconds, so that a window has about a hundred of them. */
export const binWidth = (windowMs: number): number =>
  widths.find((width) => windowMs / width <= wantedBins) ?? 86_400_000

/**
 * Requests and errors per second and latency in milliseconds, over time per worker and version. Where a router reports, its
 * numbers are shown; else the worker's own. `through`: the newest point, in milliseconds; null without any.
 */
export async function queryMetrics(
  db: Database,
  query: { deployment: string; worker?: string | undefined; since: number; until: number },
): Promise<{ series: MetricSeries[]; through: number | null }> {
  const streams = await readPoints(db, query)
  const groups = Map.groupBy(streams, (stream) => `${stream.worker}\n${stream.version}`)
  const newest = streams.flatMap((stream) => stream.points.at(-1)?.at ?? [])
  return {
    series: [...groups.values()].flatMap((group) => seriesOf(group, query)),
    through: newest.length === 0 ? null : Math.max(...newest),
  }
}

interface Bin {
  requests: number
  errors: number
  /** Counts by the bounds of a histogram: streams of one version have the same, as a rule. */
  latency: Map<string, { bounds: readonly number[]; buckets: number[] }>
}

function seriesOf(group: readonly RequestStream[], { since, until }: { since: number; until: number }): MetricSeries[] {
  const router = group.filter((stream) => stream.source === 'router')
  const streams = router.length > 0 ? router : group
  const [first] = streams
  if (!first) return []
  const width = binWidth(until - since)
  const bins = new Map<number, Bin>()
  for (const stream of streams) {
    for (const grown of increments(stream.points, since)) addTo(bins, stream, grown, width)
  }
  const at = [...bins].sort(([a], [b]) => a - b)
  const { worker, version } = first
  const make = (metric: MetricSeries['metric'], unit: string, pick: (bin: Bin) => number | null): MetricSeries => ({
    metric,
    unit,
    worker,
    version,
    points: at.map(([time, bin]) => [time, pick(bin)]),
  })
  return [
    make('requests', '1/s', (bin) => bin.requests / (width / 1_000)),
    make('errors', '1/s', (bin) => bin.errors / (width / 1_000)),
    make('latency-p50', 'ms', (bin) => latencyOf(bin, 0.5)),
    make('latency-p90', 'ms', (bin) => latencyOf(bin, 0.9)),
    make('latency-p99', 'ms', (bin) => latencyOf(bin, 0.99)),
  ]
}

function addTo(bins: Map<number, Bin>, stream: RequestStream, grown: Increment, width: number): void {
  const time = Math.floor(grown.at / width) * width
  const bin = bins.get(time) ?? { requests: 0, errors: 0, latency: new Map() }
  bins.set(time, bin)
  bin.requests += grown.count
  if (stream.error) bin.errors += grown.count
  const key = stream.boundsMs.join()
  const before = bin.latency.get(key)
  const buckets = grown.buckets.map((value, index) => value + (before?.buckets[index] ?? 0))
  bin.latency.set(key, { bounds: stream.boundsMs, buckets })
}

/** Of the histogram with most observations, should a version have reported with different bounds. */
function latencyOf(bin: Bin, q: number): number | null {
  const total = (buckets: readonly number[]) => buckets.reduce((sum, value) => sum + value, 0)
  const [most] = [...bin.latency.values()].sort((a, b) => total(b.buckets) - total(a.buckets))
  return most ? quantile(q, most.bounds, most.buckets) : null
}
