import type { GateAnswer } from '@landfall/rollout'
import type { ComputeObservation } from '../ports/platform.ts'

/**
 * What the runner has seen since it took the lease. Never persisted: a new runner looks again, and nothing is decided from
 * memory that a look could contradict.
 */
export interface World {
  /** Newest look at each worker; dropped when something was done to it. */
  compute: ReadonlyMap<string, { at: number; value: ComputeObservation }>
  /** Operations that a controller asked to be called for again later, or that `failed`, by operation key. */
  waits: ReadonlyMap<
    string,
    { until: number; code: string; message: string; resource: string | null; failed?: boolean }
  >
  /** Answers of gates that were asked, by `rollout/gate`, with when: one candidate's answer says nothing of the next. */
  answers: ReadonlyMap<string, { at: number; answer: GateAnswer }>
  /** What the platform's routers can do, by type of compute. */
  routing: Readonly<Record<'worker' | 'container', 'weighted' | 'replicas'>>
}

export const emptyWorld: World = {
  compute: new Map(),
  waits: new Map(),
  answers: new Map(),
  routing: { worker: 'weighted', container: 'weighted' },
}
