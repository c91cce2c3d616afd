/**
 * The plan as a manifest carries it, taken structurally: this package depends on nothing, and a parsed `RolloutPlan`
 * of `@landfall/stack` fits as it is. Durations are texts such as `3m`.
 */
export type GateInput =
  | { kind: 'compare'; metric: CompareMetric; worseBy: number; minSample?: number | undefined }
  | { kind: 'threshold'; metric: CompareMetric | 'restarts'; max: number; minSample?: number | undefined }
  | { kind: 'command' | 'webhook' | 'job' | 'approval' | 'window' }

export type CompareMetric = 'error-rate' | 'latency-p50' | 'latency-p90' | 'latency-p95' | 'latency-p99'
export type AnalysisInput = Extract<GateInput, { kind: 'compare' | 'threshold' }>

export interface StepInput {
  share: number
  bake?: string | undefined
  pause?: string | undefined
  gates?: readonly GateInput[] | undefined
}

export interface PlanInput {
  strategy: 'canary' | 'blue-green' | 'all-at-once'
  steps: readonly StepInput[]
  analysis?: readonly AnalysisInput[] | undefined
  prePromotion?: readonly GateInput[] | undefined
  postPromotion?: readonly AnalysisInput[] | undefined
  rollbackWindow?: string | undefined
  alpha?: number | undefined
  maxBake?: string | undefined
  onNoData?: 'hold' | 'promote-on-health' | undefined
  smoke?: { kind: 'command' } | undefined
  progressDeadline?: string | undefined
  maxSurge?: number | string | undefined
  maxUnavailable?: number | string | undefined
  abortKeep?: string | undefined
}
