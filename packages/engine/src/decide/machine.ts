import {
  type Action,
  advance,
  compilePlan,
  type GateAnswer,
  type Observation,
  type Plan,
  type RolloutState,
  supersede,
} from '@landfall/rollout'
import { LandfallError } from '@landfall/stack'
import { computeOf, type LoadedTarget } from '../plan/targets.ts'
import type { Turn } from './turn.ts'

/** The gate that `compilePlan` adds where several workers roll out together. */
const peersGate = 'peers'

/** A worker without a rollout plan is changed in one step, on health. */
const allAtOnce = { strategy: 'all-at-once', steps: [] } as const

/** The compiled plan of one worker. With others beside it, none is promoted before all have passed (gate `peers`). */
export function compileFor(turn: Turn, target: LoadedTarget, name: string, workers: number): Plan {
  const resource = computeOf(target, name)
  if (!resource) {
    throw new LandfallError({
      code: 'E_INTERNAL',
      message: `${name} has a rollout but is not in release ${target.release.version}`,
      hint: "This is a defect of Landfall: please report it with the deployment's events.",
    })
  }
  return compilePlan(resource.rollout ?? allAtOnce, {
    workers,
    routing: turn.world.routing[resource.type],
    instances: resource.scale,
  })
}

/** One look at the machine, with its answer about the other workers given. */
export function advanceWith(
  plan: Plan,
  state: RolloutState,
  observation: Observation,
  peers: GateAnswer,
  now: number,
): { state: RolloutState; actions: readonly Action[] } {
  return advance(plan, state, { ...observation, gates: { ...observation.gates, [peersGate]: peers } }, now)
}

export function recordSuperseded(state: RolloutState, now: number): RolloutState {
  return isOver(state) ? state : supersede(state, now)
}

/** The engine takes traffic back itself; the machine's record says that, and why, for good. */
export function recordAbort(
  state: RolloutState,
  cause: { code: string; message: string; by?: string },
  now: number,
): RolloutState {
  if (state.phase === 'aborted' || state.phase === 'superseded') return state
  const decision = {
    at: now,
    code: cause.code,
    message: cause.message,
    step: state.step,
    ...(cause.by ? { by: cause.by } : {}),
  }
  const own = state.aborted !== null
  return {
    ...state,
    phase: 'aborting',
    asked: 0,
    windowEndsAt: null,
    pause: null,
    pausedFrom: null,
    progressDeadlineAt: null,
    reachedAt: null,
    healthySince: null,
    reason: own ? state.reason : { code: cause.code, message: cause.message, since: now },
    aborted: state.aborted ?? { step: state.step, at: now, code: cause.code, message: cause.message, evidence: null },
    decisions: own ? state.decisions : [...state.decisions, decision].slice(-200),
  }
}

/** Called once all traffic was read back on stable. */
export function recordReturned(state: RolloutState): RolloutState {
  return { ...state, phase: 'aborted', asked: 0, served: 0, promoted: false }
}

export function isOver(state: RolloutState): boolean {
  return state.phase === 'aborted' || state.phase === 'superseded'
}

export function isFailing(state: RolloutState): boolean {
  return state.phase === 'aborting' || state.phase === 'aborted'
}
