import { start, supersede } from '../machine/start.ts'
import { corePlan } from './core-plan.ts'
import type { FleetPlan, FleetState } from './types.ts'

/** A fleet rollout that has told nobody yet. `id` is the rollout's. */
export function startFleet({ id, plan, now }: { id: string; plan: FleetPlan; now: number }): FleetState {
  const core = start({ id, stable: 'own', candidate: 'target', plan: corePlan(plan, [], []), now })
  const message = `Starts with ${plan.waves.length} waves`
  return {
    version: 1,
    phase: 'pending',
    wave: 0,
    members: {},
    reason: { code: 'started', message, since: now },
    decisions: [{ at: now, code: 'started', message, step: -1 }],
    core: { ...core, decisions: [] },
  }
}

/** A newer release is rolled out: this one tells nobody any more. Those in flight are taken over by the newer one. */
export function supersedeFleet<State extends Omit<FleetState, 'members'>>(state: State, now: number): State {
  if (['complete', 'aborted', 'superseded'].includes(state.phase)) return state
  const core = { ...supersede(state.core, now), decisions: [] }
  const message = 'A newer release takes its place'
  return {
    ...state,
    core,
    phase: 'superseded',
    reason: { code: 'superseded', message, since: core.lookedAt },
    decisions: [...state.decisions, { at: core.lookedAt, code: 'superseded', message, step: core.step }].slice(-200),
  }
}
