import type { Control, FleetState, MemberStatus, Phase } from '@landfall/rollout'
import type { Computed, Default, Json, Nullable, NullableJson } from './columns.ts'
import type { StoredPlan } from './releases.ts'

/** Members are in `rollout_members`. Here they stand only where a manager from before schema 0016 wrote last. */
export type StoredFleetState = Omit<FleetState, 'members'> & Partial<Pick<FleetState, 'members'>>

export interface RolloutsTable {
  id: string
  project: string
  channel: string
  release: string
  version: string
  plan: Json<StoredPlan>
  state: NullableJson<StoredFleetState>
  phase: Computed<Phase>
  created_at: Date
  created_by: string
  finished_at: Nullable<Date>
  requested_generation: Default<number>
  observed_generation: Default<number>
  /** When the generation it waits for was asked; kept by a trigger. */
  requested_at: Computed<Date>
  wake_at: Nullable<Date>
  lease_owner: Nullable<string>
  lease_epoch: Default<number>
  lease_until: Nullable<Date>
}
export interface RolloutMembersTable {
  rollout: string
  deployment: string
  wave: number
  status: MemberStatus
  /** Milliseconds since 1970. */
  since: number
  /** Digest of its own stable when the rollout told it. */
  origin: string | null
  target: string
  /** The config of `target`, and what it was made of; null: not known. */
  config: string | null
  basis: string | null
  reached: boolean
  unsure: Default<boolean>
  again: boolean
  reason_code: string | null
  reason_message: string | null
}
export interface RolloutControlsTable {
  rollout: string
  id: string
  kind: Control['kind']
  by: string
  reason: Nullable<string>
  at: Date
}
export interface FreezesTable {
  id: string
  project: string
  reason: string
  until: Nullable<Date>
  created_at: Date
  created_by: string
  lifted_at: Nullable<Date>
  lifted_by: Nullable<string>
}
