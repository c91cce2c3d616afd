import type { z } from 'zod'
import type { commandGate, RolloutPlanInput } from '../manifest/rollout-plan.ts'
import type { AnalysisInput } from './analysis.ts'
import type { Duration } from './definition.ts'
import type { GateInput } from './gates.ts'

export interface RolloutOptions {
  /** Measured through every step. */
  analysis?: AnalysisInput[]
  /** Must hold before the candidate is promoted. */
  prePromotion?: GateInput[]
  /** Watched for `rollbackWindow` after promotion; a failure goes back. */
  postPromotion?: AnalysisInput[]
  rollbackWindow?: Duration
  /** Probability of going back without a reason, over the whole rollout. Default 0.05. */
  alpha?: number
  /** A bake with too little data is extended to this at most. Default 30 minutes. */
  maxBake?: Duration
  /** After `maxBake` without enough data: wait for a person (default), or promote on health and the smoke command alone. */
  onNoData?: 'hold' | 'promote-on-health'
  smoke?: z.input<typeof commandGate>
  /** The candidate must become available within this. Default 10 minutes. */
  progressDeadline?: Duration
  maxSurge?: number | `${number}%`
  maxUnavailable?: number | `${number}%`
  /** How long an abandoned candidate is kept for inspection. */
  abortKeep?: Duration
}

export interface CanaryStep {
  /** Percent of the traffic, above the step before and at most 100. */
  share: number
  /** How long the share must be held in good health, from when it was really reached. */
  bake?: Duration
  /** After the bake: a time, or until a person resumes. */
  pause?: Duration | 'until-resumed'
  gates?: GateInput[]
}

/** Raises the candidate's share of the traffic step by step. */
export const canary = (options: RolloutOptions & { steps: CanaryStep[] }): RolloutPlanInput => ({
  strategy: 'canary',
  ...options,
})

/** Brings up the candidate beside stable, checks it (`prePromotion`), and moves all traffic at once; `bake` holds it there. */
export function blueGreen({ bake, ...options }: RolloutOptions & { bake?: Duration } = {}): RolloutPlanInput {
  const step = bake === undefined ? { share: 100 } : { share: 100, bake }
  return { strategy: 'blue-green', ...options, steps: [step] }
}

/** Replaces stable as soon as the candidate is healthy. */
export const allAtOnce = (options: RolloutOptions = {}): RolloutPlanInput => ({
  strategy: 'all-at-once',
  ...options,
  steps: [],
})
