import type { Reason, RolloutState } from '@landfall/rollout'
import type { Digest, Resource } from '@landfall/stack'
import type { Target } from '../ports/desired.ts'
import type { Data } from '../ports/platform.ts'

/**
 * - `pending`: no target yet · `setting-up`: frozen resources are being made · `needs-setup`: the target asks for a setup
 *   change that a person has not applied · `updating`: on the way to `candidate` · `returning`: going back to `stable`
 * - `running`: rests on `stable` · `failed`: needs a person (or a new target) · `access-revoked`: parked, probing
 * - `deleting`, `deleted`
 */
export type DeploymentPhase =
  | 'pending'
  | 'setting-up'
  | 'needs-setup'
  | 'updating'
  | 'returning'
  | 'running'
  | 'failed'
  | 'access-revoked'
  | 'deleting'
  | 'deleted'

export type ResourcePhase =
  | 'pending'
  | 'creating'
  | 'ready'
  | 'updating'
  | 'degraded'
  | 'failed'
  | 'deleting'
  | 'deleted'

/** One true thing about a resource or the deployment, in words, with a stable code. */
export interface Condition extends Reason {
  type: string
  status: 'true' | 'false' | 'unknown'
}

export interface ResourceState {
  name: string
  type: string
  lifecycle: 'frozen' | 'live'
  phase: ResourcePhase
  reason: Reason | null
  /** Digest of the desired resource + config that `data` was last brought to. */
  applied: Digest | null
  /** A controller's own memory, per sub-operation (`resource`, `route`, `triggers`, or a version id). */
  data: Readonly<Record<string, Data>>
  outputs: Data
  /** Failed attempts of the current operation, and when the next is due. */
  retry: {
    attempts: number
    nextAt: number
    lastError: { code: string; message: string }
    /** The operation that failed; a success of another one does not clear it. */
    operation?: string
    /** Times it was throttled: slows the next attempt, uses up no budget. */
    throttled?: number
  } | null
  drift: readonly string[]
  /** The definition it was last brought toward, so that it can be removed after its release is gone. */
  spec?: Resource
}

/** A version that exists, or may: written before the first call that makes it, so that none is ever orphaned. */
export interface VersionRecord {
  /** The target it was made for. */
  target: Target
  /** Abandoned after an abort, but kept for inspection until this instant. */
  keepUntil?: number
}

export interface WorkerState {
  /** Version id that serves by right; null before the first. */
  stable: Digest | null
  candidate: Digest | null
  rollout: RolloutState | null
  /** As last read back; for display. */
  served: Readonly<Record<Digest, number>>
  url: string | null
  /** The version that served before `stable`, while the rollback window is open. */
  previous?: Digest | null
  versions?: Readonly<Record<Digest, VersionRecord>>
  /** Version it was last seen resting on with everything else cleaned away. */
  rest?: Digest | null
  /** From the plan of the current rollout: how long an aborted candidate is kept. Milliseconds. */
  abortKeepMs?: number
}

/** All that the engine remembers of a deployment between steps. JSON, persisted after every durable mutation. */
export interface DeploymentState {
  version: 1
  phase: DeploymentPhase
  reason: Reason
  /** Generation of the desired that this state answers. */
  generation: number
  /** The last fully promoted target, where an abort returns. */
  stable: Target | null
  /** The target being brought, and the stable version labels for display. */
  candidate: Target | null
  /** Targets that went back, with why: not tried again until the target's digest changes or a person retries. */
  rejected: readonly { target: Digest; code: string; message: string; at: number }[]
  /** Highest sequence of a release that became stable here: the floor against downgrades. One that went back does not raise it. */
  sequence: number
  resources: Readonly<Record<string, ResourceState>>
  workers: Readonly<Record<string, WorkerState>>
  conditions: readonly Condition[]
  /** Controls already acted on. */
  seenControls: readonly string[]
  /** Stable before this one, while its rollback window is open: where a failure after promotion returns. */
  previous?: Target | null
  /** Earlier stables, newest first, at most 20: returning to one is not a downgrade, and needs neither approval nor window. */
  history?: readonly Target[]
  /** Release whose setup was carried out. */
  setup?: Digest | null
  /** The isolated area exists (or may). */
  area?: 'opening' | 'open' | 'closed'
  /**
   * Parked because access was revoked: since when, when the next probe is due (null: the customer said so, nothing is probed), and what
   * it was before.
   */
  parked?: { since: number; probeAt: number | null; from?: Pick<DeploymentState, 'phase' | 'reason'> } | null
  /** When everything that rests was last compared with what was applied. */
  checkedAt?: number
}
