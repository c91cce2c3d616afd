import type { AuditHead, AuditLink } from '@landfall/contract'
import type { Answer, DeploymentState, Desired, Target } from '@landfall/engine'
import type { Control, FleetState } from '@landfall/rollout'
import type { CustomerSettings, Digest, Model } from '@landfall/stack'
import type { StoredPlan } from '../../packages/manager/src/store/tables/releases.ts'
import type { Channel } from './channels.ts'

/** A row of `deployments`, as the manager's database has it. */
export interface DeploymentRow {
  id: string
  channel: Channel
  group: string | null
  model: Model
  prefix: string
  environment: Readonly<Record<string, unknown>>
  pinned: Digest | null
  operation: 'run' | 'destroy'
  setupRelease: Digest | null
  target: Target | null
  rollout: string | null
  level: number
  requested: number
  requestedAt: number
  observed: number
  wakeAt: number | null
  owner: string | null
  until: number
  epoch: number
  state: DeploymentState | null
  lastSeenAt: number | null
  deleted: boolean
  customer: CustomerSettings
  policy: Desired['policy']
  controls: (Control & { target?: Digest })[]
  answers: Answer[]
  told: { target: Target; generation: number }[]
  chain: AuditLink[]
  /** What is known of its agent: number of the newest report, and the copy of its chain. */
  reported: number
  copy: AuditHead
  copied: AuditLink[]
}

/** A row of `rollouts`. */
export interface RolloutRow {
  id: string
  channel: Channel
  release: Digest
  version: string
  plan: StoredPlan
  state: FleetState
  createdAt: number
  finishedAt: number | null
  requested: number
  observed: number
  requestedAt: number
  wakeAt: number | null
  controls: Control[]
}
