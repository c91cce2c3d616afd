import type { Report } from '@landfall/contract'
import type { CustomerSettings } from '@landfall/stack'
import type { Default, DefaultJson, Nullable, NullableJson } from './columns.ts'

/** Codes of what the manager found out about an agent; `since` in milliseconds. */
export type Trouble = Record<string, { message: string; since: number }>

export interface AgentsTable {
  deployment: string
  token_hash: Nullable<Buffer>
  token_expires_at: Nullable<Date>
  sign_key: Nullable<string>
  seal_key: Nullable<string>
  key_id: Nullable<string>
  enrolled_at: Nullable<Date>
  session: Default<number>
  named: Default<number>
  named_before: Nullable<number>
  nonce: Nullable<string>
  restored: Default<boolean>
  session_at: Nullable<Date>
  report_number: Default<number>
  last_report_at: Nullable<Date>
  via: Nullable<'sync' | 'export'>
  customer: NullableJson<CustomerSettings>
  local: DefaultJson<string[]>
  info: NullableJson<Report['agent']>
  audit_number: Default<number>
  audit_hash: string
  export_key: Nullable<string>
  export_number: Default<number>
  export_id: Nullable<string>
  trouble: DefaultJson<Trouble>
}

export interface SealedBoxesTable {
  deployment: string
  name: string
  version: number
  seal_key: string
  sealed: Buffer
}
