import type { commandStatus } from '@landfall/contract'
import type { Computed, Default, Nullable, NullableJson } from './columns.ts'

export interface CommandsTable {
  deployment: string
  id: string
  project: string
  worker: string
  /** Version id it must go to; null: whatever serves. */
  version: Nullable<string>
  command: string
  /** `direct`: by this manager or its agent · `bundle`: signed and carried · `agent`: made there */
  via: Default<'direct' | 'bundle' | 'agent'>
  input: Buffer
  result: Nullable<Buffer>
  status: Default<(typeof commandStatus)[number]>
  attempt: Default<number>
  created_at: Date
  created_by: string
  deadline: Date
  started_at: Nullable<Date>
  finished_at: Nullable<Date>
  cancel_requested_at: Nullable<Date>
  error: NullableJson<{ code: string; message: string }>
  lease_owner: Nullable<string>
  lease_epoch: Default<number>
  lease_until: Nullable<Date>
}
export interface CommandOutputTable {
  deployment: string
  command: string
  number: number
  at: Date
  chunk: string
}
export interface AuditHeadsTable {
  chain: string
  number: number
  hash: string
}
export interface AuditEntriesTable {
  chain: string
  number: number
  project: Nullable<string>
  deployment: Nullable<string>
  at: Date
  type: string
  actor: string
  code: Nullable<string>
  message: string
  resource: Nullable<string>
  data: NullableJson<unknown>
  previous: string
  hash: string
}
export interface AuditCheckpointsTable {
  chain: string
  number: number
  hash: string
  at: Date
  signature: string
}
export interface ChangesTable {
  number: Computed<number>
  /** A transaction id; PostgreSQL's xid8, as text because it may pass 2^53. */
  xid: Default<string>
  project: string
  kind: string
  id: string
  at: Date
}
