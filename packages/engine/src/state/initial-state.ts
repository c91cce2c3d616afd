import type { DeploymentState } from './deployment-state.ts'

/** The state of a deployment that nothing was done for yet. */
export function initialState(now: number): DeploymentState {
  return {
    version: 1,
    phase: 'pending',
    reason: { code: 'NO_TARGET', message: 'No release has reached this deployment yet', since: now },
    generation: 0,
    stable: null,
    candidate: null,
    rejected: [],
    sequence: 0,
    resources: {},
    workers: {},
    conditions: [],
    seenControls: [],
    previous: null,
    history: [],
    setup: null,
    parked: null,
  }
}
