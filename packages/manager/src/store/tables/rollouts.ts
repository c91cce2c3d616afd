import type { Control, FleetState, Phase } from '@landfall/rollout'
import type { Computed, Default, Json, Nullable, NullableJson } from './columns.ts'
import type { StoredPlan } from './releases.ts'

export interface RolloutsTable {
  id: string
  project: string
  channel: string
  release: string
  version: string
  plan: Json<StoredPlan>
  state: NullableJson<FleetState>
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
