/** Bounds of the loop. Milliseconds where not said otherwise. */
export interface Limits {
  leaseMs: number
  /** A controller's step that takes longer is abandoned, and tried again by the budget. */
  stepDeadlineMs: number
  /** Operations of one deployment that run at once. */
  parallel: number
  /** Attempts of one operation, the first included. */
  attempts: number
  backoffBaseMs: number
  backoffMaxMs: number
  /** Between two looks at a worker that is being rolled out. */
  rolloutTickMs: number
  /** Between two looks at a worker that rests. */
  steadyMs: number
  /** Between two comparisons of all resources with what was applied. */
  driftMs: number
  /** Between two probes of a deployment whose access was revoked. */
  probeMs: number
  /** A due time nearer than this is slept through under the lease; a farther one gives the lease up. */
  lingerMs: number
  /** After this the lease is given up although there is work, so that others get their turn. */
  sessionMs: number
}

export const defaultLimits: Limits = {
  leaseMs: 15_000,
  stepDeadlineMs: 30_000,
  parallel: 8,
  attempts: 8,
  backoffBaseMs: 500,
  backoffMaxMs: 60_000,
  rolloutTickMs: 500,
  steadyMs: 30_000,
  driftMs: 60_000,
  probeMs: 60_000,
  lingerMs: 2_000,
  sessionMs: 60_000,
}
