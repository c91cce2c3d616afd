import { alphaEach } from '../plan/compile-plan.ts'
import type { Plan, RolloutState } from './types.ts'

export interface StartInput {
  id: string
  /** What serves now; null for a first deployment, which skips the steps. */
  stable: string | null
  /** What is to serve. The same as `stable`: nothing to do, the rollout is complete. */
  candidate: string
  plan: Plan
  now: number
  /** Controls already acted on by an earlier rollout; they are not acted on again. */
  seenControls?: readonly string[]
}

/** A rollout that has not begun: the first `advance` begins it. */
export function start({ id, stable, candidate, plan, now, seenControls }: StartInput): RolloutState {
  const same = stable === candidate
  const message = same
    ? 'Already runs: nothing to do'
    : stable === null
      ? 'First deployment: no steps, serves as soon as it is healthy'
      : `Starts with ${plan.steps.length} steps; each analysis may be wrong with probability ${Number(alphaEach(plan).toPrecision(2))}`
  const code = same ? 'nothing-to-do' : stable === null ? 'first-deployment' : 'started'
  return {
    version: 1,
    id,
    stable,
    candidate,
    phase: same ? 'complete' : 'pending',
    step: -1,
    asked: 0,
    peak: 0,
    served: 0,
    startedAt: now,
    lookedAt: now,
    reachedAt: null,
    healthySince: null,
    pause: null,
    pausedFrom: null,
    pausedMs: 0,
    progressDeadlineAt: null,
    windowEndsAt: null,
    reason: { code, message, since: now },
    memory: {},
    evidence: [],
    series: [],
    decisions: [{ at: now, code, message, step: -1 }],
    seenControls: seenControls ?? [],
    aborted: null,
    passed: { skip: -1, data: -1, pause: -1 },
    full: false,
    promotingAt: null,
    cleared: false,
    promoted: false,
    keepUntil: null,
  }
}

/**
 * What a newly wanted version means for a rollout under way: `keep` (it is what is being brought), `abort` (it is what is
 * stable: going back needs no steps), `supersede` (anything else: start a new rollout against the same stable).
 */
export function retarget(state: RolloutState, wanted: string): 'keep' | 'abort' | 'supersede' {
  const over = state.phase === 'aborted' || state.phase === 'aborting' || state.phase === 'superseded'
  if (wanted === state.candidate) return over ? 'supersede' : 'keep'
  if (wanted === state.stable) return over ? 'keep' : 'abort'
  return 'supersede'
}

/**
 * A newer target came: this candidate is taken out of traffic and away, whatever it was doing, and never becomes stable.
 * After its promotion the candidate is the stable: only the rollback window closes.
 */
export function supersede(state: RolloutState, now: number): RolloutState {
  if (state.phase === 'superseded' || state.phase === 'aborted') return state
  const at = Math.max(now, state.lookedAt)
  if (state.phase === 'complete') return { ...state, windowEndsAt: null, lookedAt: at }
  const message = 'A newer release takes its place'
  return {
    ...state,
    phase: 'superseded',
    pause: null,
    pausedFrom: null,
    lookedAt: at,
    progressDeadlineAt: null,
    reachedAt: null,
    healthySince: null,
    reason: { code: 'superseded', message, since: at },
    decisions: [...state.decisions, { at, code: 'superseded', message, step: state.step }].slice(-200),
  }
}
