import type { Control, Decision, Phase, Reason, RolloutState } from '../machine/types.ts'

/** One wave: the deployments of named groups, or a cumulative share of all; exactly one of the two. */
export interface Wave {
  name: string
  groups?: readonly string[]
  share?: number
  /** How long the wave must hold after it was reached. */
  soakMs: number
  /** A person resumes after this wave. */
  pause?: boolean
}

export interface FleetPlan {
  waves: readonly Wave[]
  maxInFlight: number
  /** Percent of the wave's deployments that must succeed, of those that count. */
  minSuccess: number
  /** This many failures stop the rollout. */
  maxFailures: number
  onFailure: 'pause' | 'abort'
  /** On abort, deployments reached go back to their own stable; otherwise they stay. */
  rollbackReached: boolean
}

/**
 * - `waiting`: not told yet; `in-flight`: told, not there yet; `succeeded`: rests on the target
 * - `failed`: could not get there, or went back by itself; `excluded`: does not count (see `reason`)
 * - `returning` / `returned`: sent back to its own stable after an abort
 */
export type MemberStatus = 'waiting' | 'in-flight' | 'succeeded' | 'failed' | 'excluded' | 'returning' | 'returned'

/** What is seen of one deployment. */
export interface MemberObservation {
  id: string
  /** What people call it; its id where nothing better is known. */
  name?: string
  group: string | null
  /** Set where the deployment does not count now: pinned, offline, awaiting approval, outside its window, frozen. */
  excluded?: { code: string; message: string }
  /** A newer rollout has told it: it is no longer this one's, not even to send back. */
  takenOver?: boolean
  /** Digest of the target it rests on, was last told, and had when the rollout reached it. */
  resting: string | null
  told: string | null
  /** What it rested on before that. */
  restedBefore?: string | null
  /** What it rests on is this rollout's release, with whatever config. */
  restsOnOurs?: boolean
  /** It has not answered what it was told last: what it rests on is of before, and may be another by now. */
  unanswered?: boolean
  /** Another rollout, aborted, has still to bring it back there: that is its own stable, whatever it rests on and was told. */
  goingBack?: { to: string | null; unsure: boolean }
  /** Its own worker-scale outcome for `told`. */
  outcome: 'progressing' | 'healthy' | 'failed' | 'rolled-back'
  failure?: { code: string; message: string }
}

export interface Member {
  id: string
  wave: number
  status: MemberStatus
  since: number
  /** Its own stable when the rollout told it: where an abort sends it. */
  from: string | null
  /**
   * `from` is a guess: when it was told, what had come of its order before was not known. Its first answer says; until then an
   * abort asks nothing of it but to go on with what it has.
   */
  unsure?: boolean
  target: string
  reason?: { code: string; message: string }
  /** This rollout told it; one that was on the target before was not reached, and does not go back. */
  told?: boolean
  /** It is tried again: the outcome of the last attempt says nothing until a new one is seen. */
  again?: boolean
}

export interface FleetState {
  version: 1
  phase: Phase
  wave: number
  members: Record<string, Member>
  reason: Reason
  decisions: readonly Decision[]
  /** The same machine that shifts traffic, moving deployments: waves are its steps, soak its bake. */
  core: RolloutState
}

export interface FleetObservation {
  /** Digest of the target each member would get: its release with its own config. */
  targets: Readonly<Record<string, string>>
  members: readonly MemberObservation[]
  /** A freeze holds every new start until it expires or is lifted. */
  freeze: { until: number | null; reason: string } | null
  controls: readonly Control[]
}

export type FleetAction =
  | { kind: 'assign'; deployment: string; target: string; wave: number }
  | { kind: 'return'; deployment: string; to: string | null }
  | { kind: 'wake'; at: number }
