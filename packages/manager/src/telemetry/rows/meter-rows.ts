import { type KeyValue, metricsRequest, type OtlpMetric, plainAttributes, textAttribute } from '@landfall/telemetry'
import { boundedAttributes } from './bounded-attributes.ts'
import { durationMetric, seriesOf } from './metric-rows.ts'

export type MeterKind = 'counter' | 'gauge' | 'histogram'

/** A data point of one of the workers' own meters as it is stored. */
export interface MeterPoint {
  /** Milliseconds since the epoch. */
  at: number
  startAt: number
  worker: string
  version: string
  metric: string
  unit: string
  kind: MeterKind
  /** Digest of all attributes, of the resource too: one stream. */
  series: string
  labels: Record<string, unknown>
  cumulative: boolean
  /** Null for a histogram. */
  value: number | null
  histogram: { bounds: number[]; buckets: number[]; sum: number; count: number } | null
}

const maxName = 200
const maxUnit = 40

/**
 * The points of counters, gauges and histograms in an export request of JSON shape, but for request durations, which have rows of
 * their own. `skipped`: points of other kinds (exponential histograms, summaries are not read at all), or without a worker.
 * @throws ZodError for another shape
 */
export function meterPoints(request: unknown, now: number): { points: MeterPoint[]; skipped: number } {
  const points: MeterPoint[] = []
  let skipped = 0
  for (const group of metricsRequest.parse(request).resourceMetrics) {
    for (const metric of group.scopeMetrics.flatMap((scope) => scope.metrics)) {
      if (metric.name === durationMetric) continue
      const found = pointsOf(metric, group.resource.attributes, now)
      points.push(...found.filter((point) => point !== null))
      skipped += found.filter((point) => point === null).length
    }
  }
  return { points, skipped }
}

function pointsOf(metric: OtlpMetric, resourceAttributes: readonly KeyValue[], now: number): (MeterPoint | null)[] {
  const resource = plainAttributes(resourceAttributes)
  const base = (point: { startTimeUnixNano: bigint; timeUnixNano: bigint; attributes: readonly KeyValue[] }) => {
    const labels = plainAttributes(point.attributes)
    const worker = textAttribute(resource, 'landfall.worker', 'service.name')
    const version = textAttribute(resource, 'landfall.version', 'service.version')
    if (worker === null || version === null || metric.name === '' || metric.name.length > maxName) return null
    return {
      at: Math.min(millis(point.timeUnixNano) || now, now),
      startAt: millis(point.startTimeUnixNano),
      worker,
      version,
      metric: metric.name,
      unit: metric.unit.slice(0, maxUnit),
      series: seriesOf(resource, labels),
      labels: boundedAttributes(labels),
    }
  }
  const numbers = metric.sum ?? metric.gauge
  if (numbers) {
    const cumulative = metric.sum?.aggregationTemporality === 2
    // The sum of an up-down counter is a state, like a gauge, unless only its changes are told.
    const kind = metric.sum && (metric.sum.isMonotonic || !cumulative) ? 'counter' : 'gauge'
    return numbers.dataPoints.map((point) => {
      const own = base(point)
      const value = point.asDouble ?? (point.asInt === undefined ? undefined : Number(point.asInt))
      if (!own || value === undefined || !Number.isFinite(value)) return null
      return { ...own, kind, cumulative, value, histogram: null }
    })
  }
  const { dataPoints = [], aggregationTemporality } = metric.histogram ?? {}
  return dataPoints.map((point) => {
    const own = base(point)
    if (!own || point.bucketCounts.length !== point.explicitBounds.length + 1) return null
    const buckets = point.bucketCounts.map(Number)
    const sum = Number.isFinite(point.sum) ? (point.sum ?? 0) : 0
    const histogram = { bounds: point.explicitBounds, buckets, sum, count: Number(point.count) }
    return { ...own, kind: 'histogram', cumulative: aggregationTemporality === 2, value: null, histogram }
  })
}

const millis = (nanos: bigint) => Number(nanos / 1_000_000n)
