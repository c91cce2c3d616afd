import type { policy } from '@landfall/contract'
import type { DeploymentPhase, DeploymentState, Target } from '@landfall/engine'
import type { Control } from '@landfall/rollout'
import type { CustomerSettings, Model, PlatformName } from '@landfall/stack'
import type { z } from 'zod'
import type { Computed, Default, DefaultJson, Json, Nullable, NullableJson } from './columns.ts'

export type StoredPolicy = z.output<typeof policy>
export type InputValue = string | number | boolean
/** What a config digest is over, in canonical form. */
export interface ConfigDocument {
  inputs: Record<string, InputValue>
  /** The hash is keyed (HMAC): it changes with the value and tells nothing of it. */
  secrets: Record<string, { version: number; hash: string }>
  bindings: Record<string, unknown>
}

export interface GroupsTable {
  project: string
  name: string
  description: Default<string>
}
export interface DeploymentsTable {
  id: string
  project: string
  name: string
  group_name: Nullable<string>
  channel: string
  platform: PlatformName
  model: Model
  environment: Json<Record<string, unknown>>
  prefix: string
  policy: Json<StoredPolicy>
  customer: DefaultJson<CustomerSettings>
  pinned: Nullable<string>
  created_at: Date
  created_by: string
  operation: Default<'run' | 'destroy'>
  target: NullableJson<Target>
  setup_release: Nullable<string>
  /** To be set up with the first release that its channel gets. */
  setup_first: Default<boolean>
  config: string
  requested_generation: Default<number>
  observed_generation: Default<number>
  /** When the generation it waits for was asked; kept by a trigger. */
  requested_at: Computed<Date>
  wake_at: Nullable<Date>
  lease_owner: Nullable<string>
  lease_epoch: Default<number>
  lease_until: Nullable<Date>
  state: NullableJson<DeploymentState>
  // Of the state, kept beside it by a trigger: it is large, and a fleet reads these of thousands.
  phase: Computed<DeploymentPhase>
  actual_release: Computed<string | null>
  /** The generation that the state answers. */
  state_generation: Computed<number | null>
  /** Digest of the target that it rests on, and of the one before. */
  resting: Computed<string | null>
  rested_before: Computed<string | null>
  reason_code: Computed<string | null>
  reason_message: Computed<string | null>
  /** Targets that went back or were refused; null: none. */
  rejected: Computed<DeploymentState['rejected'] | null>
  target_release: Computed<string | null>
  rollout: Nullable<string>
  last_seen_at: Nullable<Date>
  deleted_at: Nullable<Date>
}
export interface InputsTable {
  deployment: string
  name: string
  value: Json<InputValue>
  set_by: string
  set_at: Date
}
export interface SecretsTable {
  deployment: string
  name: string
  version: number
  sealed: Buffer
  hash: string
  set_by: string
  set_at: Date
  removed_at: Nullable<Date>
}
export interface ConfigsTable {
  deployment: string
  digest: string
  document: Json<ConfigDocument>
  created_at: Date
  created_by: string
}
export interface TargetsTable {
  deployment: string
  generation: number
  target: Json<Target>
  cause: string
  told_at: Date
  told_by: string
}
export interface ControlsTable {
  deployment: string
  id: string
  kind: Control['kind']
  by: string
  reason: Nullable<string>
  /** Digest of the target that was asked for when it was given. */
  target: Nullable<string>
  at: Date
}
export interface AnswersTable {
  deployment: string
  id: string
  gate: string
  target: string
  status: 'pass' | 'fail'
  by: string
  message: Nullable<string>
  at: Date
}
