import { sha256 } from '@landfall/stack'
import { type KeyValue, metricsRequest, type OtlpMetric, plainAttributes, textAttribute } from '@landfall/telemetry'

/** The one duration metric that requests, errors and latency are read from (OpenTelemetry's HTTP semantic conventions). */
export const durationMetric = 'http.server.request.duration'

/** A data point of the duration histogram as it is stored. */
export interface RequestPoint {
  /** Milliseconds since the epoch. */
  at: number
  startAt: number
  worker: string
  version: string
  /** The version's digest where the sender knows it. */
  versionId: string | null
  /** Who measured: the router in front, which sees crashes too, or the worker itself. */
  source: 'router' | 'worker'
  /** Digest of all attributes, of the resource too: one stream of a cumulative counter. */
  series: string
  /** Status 5xx, or `error.type` without a status. */
  error: boolean
  cumulative: boolean
  count: number
  /** Milliseconds. */
  sum: number
  boundsMs: number[]
  buckets: number[]
}

/**
 * The request durations of an export request in JSON shape; other metrics are `meterPoints`.
 * @throws ZodError for another shape
 */
export function requestPoints(request: unknown, now: number): RequestPoint[] {
  return metricsRequest
    .parse(request)
    .resourceMetrics.flatMap((group) =>
      group.scopeMetrics.flatMap((scope) =>
        scope.metrics.flatMap((metric) => durations(metric, group.resource.attributes, now)),
      ),
    )
}

function durations(metric: OtlpMetric, resourceAttributes: readonly KeyValue[], now: number): RequestPoint[] {
  if (metric.name !== durationMetric || !metric.histogram) return []
  const { dataPoints, aggregationTemporality } = metric.histogram
  const toMs = metric.unit === 'ms' ? 1 : 1_000
  const resource = plainAttributes(resourceAttributes)
  return dataPoints.flatMap((point): RequestPoint[] => {
    const own = plainAttributes(point.attributes)
    const worker = textAttribute(own, 'landfall.worker') ?? textAttribute(resource, 'landfall.worker', 'service.name')
    const version =
      textAttribute(own, 'landfall.version') ?? textAttribute(resource, 'landfall.version', 'service.version')
    if (worker === null || version === null || point.bucketCounts.length !== point.explicitBounds.length + 1) return []
    return [
      {
        at: Math.min(millis(point.timeUnixNano) || now, now),
        startAt: millis(point.startTimeUnixNano),
        worker,
        version,
        versionId: textAttribute(own, 'landfall.version.id') ?? textAttribute(resource, 'landfall.version.id') ?? null,
        source:
          textAttribute(own, 'landfall.source') === 'router' || textAttribute(resource, 'landfall.source') === 'router'
            ? 'router'
            : 'worker',
        series: seriesOf(resource, own),
        error: isError(own),
        cumulative: aggregationTemporality === 2,
        count: Number(point.count),
        sum: (point.sum ?? 0) * toMs,
        boundsMs: point.explicitBounds.map((bound) => bound * toMs),
        buckets: point.bucketCounts.map(Number),
      },
    ]
  })
}

/** One stream of points: the digest of all that tells it from others. */
export function seriesOf(resource: Record<string, unknown>, own: Record<string, unknown>): string {
  const resourceDigest = sha256(JSON.stringify(Object.entries(resource).sort(byKey)))
  return sha256(`${resourceDigest}${JSON.stringify(Object.entries(own).sort(byKey))}`)
}

const millis = (nanos: bigint) => Number(nanos / 1_000_000n)
const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)

function isError(attributes: Readonly<Record<string, unknown>>): boolean {
  const status = Number(attributes['http.response.status_code'])
  return Number.isInteger(status) ? status >= 500 : textAttribute(attributes, 'error.type') !== null
}
