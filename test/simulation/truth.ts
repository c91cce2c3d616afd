import type { Kind } from './releases.ts'

/** What really happened, as a witness of everything would tell it: what the invariants measure the system against. */
export interface Truth {
  /** Kinds of releases, by version. */
  kinds: Map<string, Kind>
  /** Targets that a customer approved, per deployment, with where. */
  approved: Map<string, Map<string, 'portal' | 'agent'>>
  /** Highest number of extra frozen resources that a customer has approved, per deployment. */
  setups: Map<string, number>
  /** Targets that a deployment has rested on. */
  rested: Map<string, Set<string>>
  /** Deployments whose rollout a person steered, or whose clocks jumped: no bake is measured there from then on. */
  unmeasured: Set<string>
  /** A clock has jumped somewhere. */
  skewed: boolean
  /** Since when access is revoked, per deployment. */
  revokedSince: Map<string, number>
  /** When instances were last taken down, per deployment. */
  crashedAt: Map<string, number>
  /** Rollouts to an older release, which a person meant. */
  destroyed: Set<string>
}

export const emptyTruth = (): Truth => ({
  kinds: new Map(),
  approved: new Map(),
  setups: new Map(),
  rested: new Map(),
  unmeasured: new Set(),
  skewed: false,
  revokedSince: new Map(),
  crashedAt: new Map(),
  destroyed: new Set(),
})
