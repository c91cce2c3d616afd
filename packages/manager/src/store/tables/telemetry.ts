import type { Default, DefaultJson, Json, Nullable, NullableJson } from './columns.ts'

export interface LogsTable {
  deployment: string
  at: Date
  id: string
  /** OpenTelemetry's SeverityNumber, 1 to 24; 0: not said. */
  severity: number
  worker: Nullable<string>
  version: Nullable<string>
  body: string
  attributes: Json<Record<string, unknown>>
  trace: Nullable<string>
}
/** A histogram; `startAt` (milliseconds) and `cumulative` tell how two of one series follow from one another. */
export interface StoredHistogram {
  bounds: readonly number[]
  counts: readonly number[]
  sum: number
  count: number
  startAt: number
  cumulative: boolean
}
export interface MetricPointsTable {
  deployment: string
  at: Date
  worker: string
  version: string
  metric: string
  series: Default<string>
  unit: Default<string>
  value: Nullable<number>
  histogram: NullableJson<StoredHistogram>
  attributes: Json<Record<string, unknown>>
  kind: Default<'counter' | 'gauge' | 'histogram'>
  /** Of a counter or a histogram of `metric_names`: since when it counts. */
  start_at: Nullable<Date>
  cumulative: Default<boolean>
}
export interface SpansTable {
  deployment: string
  at: Date
  trace: string
  span: string
  parent: Nullable<string>
  worker: Nullable<string>
  version: Nullable<string>
  name: string
  kind: Default<number>
  duration_ms: number
  status: Default<number>
  message: Nullable<string>
  attributes: Json<Record<string, unknown>>
  events: DefaultJson<{ at: number; name: string; attributes: Record<string, unknown> }[]>
}
/** The metrics of a deployment's own meters. */
export interface MetricNamesTable {
  deployment: string
  metric: string
  unit: string
  kind: 'counter' | 'gauge' | 'histogram'
  last_at: Date
}
/** What was beyond a bound and not stored, in total. */
export interface TelemetryDropsTable {
  deployment: string
  signal: string
  reason: string
  records: number
  last_at: Date
}
export interface TelemetrySettingsTable {
  project: string
  retention_days: Default<number>
  forward: Nullable<Buffer>
}
