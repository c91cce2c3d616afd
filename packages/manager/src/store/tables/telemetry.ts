import type { Default, Json, Nullable, NullableJson } from './columns.ts'

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
  attributes: Json<Record<string, unknown>>
}
export interface TelemetrySettingsTable {
  project: string
  retention_days: Default<number>
  forward: Nullable<Buffer>
}
