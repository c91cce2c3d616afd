import { z } from 'zod'
import { duration } from './names.ts'

/**
 * The plan language as it stands in a manifest. `packages/rollout` interprets it; it lives here because the manifest
 * carries it and the SDK builds it. Shares are percent of traffic (worker scale) or of deployments (fleet scale).
 */
export const comparison = z.strictObject({
  kind: z.literal('compare'),
  metric: z.enum(['error-rate', 'latency-p50', 'latency-p90', 'latency-p95', 'latency-p99']),
  /** The tolerated effect: a difference of rates (0..1) for `error-rate`, milliseconds for latencies. */
  worseBy: z.number().nonnegative(),
  /** Requests the candidate must have answered before a verdict. */
  minSample: z.number().int().positive().default(50),
})
export const threshold = z.strictObject({
  kind: z.literal('threshold'),
  metric: z.enum(['error-rate', 'latency-p50', 'latency-p90', 'latency-p95', 'latency-p99', 'restarts']),
  /** Candidate's value above this fails. Rates 0..1, latencies in milliseconds, restarts a count. */
  max: z.number().nonnegative(),
  minSample: z.number().int().nonnegative().default(20),
})
export const commandGate = z.strictObject({
  kind: z.literal('command'),
  command: z.string(),
  input: z.unknown().optional(),
  timeout: duration.default('60s'),
})
export const webhookGate = z.strictObject({
  kind: z.literal('webhook'),
  url: z.url(),
  timeout: duration.default('10s'),
})
export const jobGate = z.strictObject({ kind: z.literal('job'), worker: z.string(), timeout: duration.default('10m') })
export const approvalGate = z.strictObject({
  kind: z.literal('approval'),
  by: z.enum(['vendor', 'customer']).default('vendor'),
})
export const windowGate = z.strictObject({ kind: z.literal('window') })
export const analysis = z.discriminatedUnion('kind', [comparison, threshold])
export const gate = z.discriminatedUnion('kind', [
  comparison,
  threshold,
  commandGate,
  webhookGate,
  jobGate,
  approvalGate,
  windowGate,
])
export type Analysis = z.infer<typeof analysis>
export type Gate = z.infer<typeof gate>

export const rolloutStep = z.strictObject({
  /** Percent, 0 < share ≤ 100. */
  share: z.number().gt(0).max(100),
  /** How long the share must be held in good health, measured from when it was really reached. */
  bake: duration.default('0s'),
  /** A pause after the bake: a time, or `until-resumed` for a person. */
  pause: z.union([duration, z.literal('until-resumed')]).optional(),
  /** Gates of this step alone, beside the plan's analysis. */
  gates: z.array(gate).default([]),
})
export type RolloutStep = z.infer<typeof rolloutStep>

export const rolloutPlan = z.strictObject({
  strategy: z.enum(['canary', 'blue-green', 'all-at-once']),
  steps: z.array(rolloutStep).max(50),
  /** Measured through every step. */
  analysis: z.array(analysis).default([]),
  /** Must hold before the candidate is promoted. */
  prePromotion: z.array(gate).default([]),
  /** Watched after promotion for `rollbackWindow`; a failure goes back. */
  postPromotion: z.array(analysis).default([]),
  rollbackWindow: duration.default('0s'),
  /** Total false-abort probability of the whole rollout, spent over metrics, workers and steps. */
  alpha: z.number().gt(0).lt(0.5).default(0.05),
  /** A bake with too little data is extended to this at most. */
  maxBake: duration.default('30m'),
  /** After `maxBake` without enough data: hold for a person, or promote on health (and the smoke command, where given). */
  onNoData: z.enum(['hold', 'promote-on-health']).default('hold'),
  smoke: commandGate.optional(),
  /** The candidate must become available within this. Paused time does not count. */
  progressDeadline: duration.default('10m'),
  /** Percent of desired, or a count, that may exist above it. At 100% stable stays whole until the candidate has taken over, so that an abort is instant. */
  maxSurge: z.union([z.number().int().nonnegative(), z.string().regex(/^\d+%$/)]).default('100%'),
  maxUnavailable: z.union([z.number().int().nonnegative(), z.string().regex(/^\d+%$/)]).default('0%'),
  /** How long the abandoned candidate is kept for inspection after an abort. */
  abortKeep: duration.default('0s'),
})
export type RolloutPlan = z.infer<typeof rolloutPlan>
export type RolloutPlanInput = z.input<typeof rolloutPlan>
