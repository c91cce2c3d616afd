/**
 * Words: a *rollout* brings a *candidate* beside a *stable*; a *share* is percent of what is really served; a *step* is a
 * share to reach and hold (*bake*); a *gate* must hold to go on; a *verdict* is the measured answer of an analysis.
 * All times are milliseconds since the epoch, all durations milliseconds. Everything here is JSON-serialisable.
 */

export type Phase =
  | 'pending'
  | 'progressing'
  | 'paused'
  | 'promoting'
  /** Promoted; the rollback window with its post-promotion analysis is still open when `windowEndsAt` is set. */
  | 'complete'
  | 'aborting'
  | 'aborted'
  | 'superseded'

/** A stable reason code, words for a person, and since when: what every status carries. */
export interface Reason {
  code: string
  message: string
  since: number
}

export interface Step {
  share: number
  bakeMs: number
  pause?: number | 'until-resumed'
  gates: readonly GateSpec[]
  /** Analyses among the step's gates: must pass here, beside the plan's own. */
  analysis?: readonly AnalysisSpec[]
  /** The share the plan's author wrote, where replica ratio cannot serve it: `share` is then the true one. */
  wanted?: number
}

export type Metric = 'error-rate' | 'latency-p50' | 'latency-p90' | 'latency-p95' | 'latency-p99' | 'restarts'

export type AnalysisSpec =
  | { id: string; kind: 'compare'; metric: Exclude<Metric, 'restarts'>; worseBy: number; minSample: number }
  | { id: string; kind: 'threshold'; metric: Metric; max: number; minSample: number }

/** A gate answered from outside (an approval, a window, a webhook, a command, a job, or `peers`: the other workers). */
export interface GateSpec {
  id: string
  kind: 'approval' | 'window' | 'webhook' | 'command' | 'job' | 'peers'
}

/** The plan as the machine reads it: durations parsed, ids given, defaults filled in. Made by `compilePlan`. */
export interface Plan {
  strategy: 'canary' | 'blue-green' | 'all-at-once'
  steps: readonly Step[]
  analysis: readonly AnalysisSpec[]
  prePromotion: readonly (GateSpec | AnalysisSpec)[]
  postPromotion: readonly AnalysisSpec[]
  rollbackWindowMs: number
  /** For this rollout's share of the whole budget; already divided by the number of workers. */
  alpha: number
  maxBakeMs: number
  onNoData: 'hold' | 'promote-on-health'
  smoke?: GateSpec
  progressDeadlineMs: number
  maxSurge: number | `${number}%`
  maxUnavailable: number | `${number}%`
  abortKeepMs: number
  /** Whether the router can serve any share (`weighted`), or only the ratio of instances (`replicas`). */
  routing: 'weighted' | 'replicas'
  /** What a person should know of this plan before it starts, such as shares that replica ratio cannot serve. */
  notes?: readonly string[]
}

/** Cumulative since the version first served in this rollout; a counter never goes down, so a repeated report changes nothing. */
export interface Counters {
  requests: number
  errors: number
  /** Latency histogram with the fixed boundaries of `latencyBoundsMs`; one count more than there are bounds. */
  latency: readonly number[]
  restarts: number
  /** Newest instant these counters are known to include; ingestion lag is `now - through`. */
  through: number
}

export interface VersionObservation {
  /** Instances asked for, and instances that pass their health check now. */
  desired: number
  available: number
  /** Total existing, ready or not. */
  total: number
  /** Set as soon as it is known that waiting is useless: crash loop, image pull failure, failed start. */
  failing?: { code: string; message: string }
  counters?: Counters
}

export interface GateAnswer {
  status: 'pass' | 'fail' | 'wait'
  message?: string
}

export interface Control {
  /** Unique; a control seen before is ignored, so that replays are harmless. */
  id: string
  kind: 'pause' | 'resume' | 'promote' | 'promote-full' | 'abort' | 'retry'
  by: string
  reason?: string
  at: number
}

export interface Observation {
  stable: VersionObservation | null
  candidate: VersionObservation | null
  /** Percent that the router was read to serve from the candidate. */
  served: number
  /** Instances wanted at 100%. */
  desired: number
  gates: Readonly<Record<string, GateAnswer>>
  controls: readonly Control[]
  /** Whether triggers and pointers were read to be on the candidate. Left out: `promote`/`demote` are given on every look instead. */
  promoted?: boolean
}

/** What the caller is to bring about; idempotent, given again at every call until observed. */
export type Action =
  | { kind: 'scale'; version: 'stable' | 'candidate'; instances: number }
  | { kind: 'route'; share: number }
  /** The candidate is now stable: move triggers and pointers. Emitted only once its 100% was read back. */
  | { kind: 'promote' }
  /** An abort came after the promotion (rollback window): triggers and pointers go back to stable. */
  | { kind: 'demote' }
  | { kind: 'retire'; version: 'stable' | 'candidate' }
  | { kind: 'open-gate'; gate: GateSpec }
  | { kind: 'close-gate'; gate: GateSpec }
  /** Nothing to do before this instant unless something changes. */
  | { kind: 'wake'; at: number }

export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'no-data'

/** Why a verdict was given; stored with it and drawn in the dashboard. */
export interface Evidence {
  analysis: string
  metric: Metric
  kind: 'compare' | 'threshold'
  verdict: Verdict
  at: number
  step: number
  /** Name of the test, such as `mixture-betting-e-process`. */
  test: string
  alpha: number
  sample: { stable: number; candidate: number }
  value: { stable: number | null; candidate: number }
  /** Candidate minus stable, with its always-valid interval; the tolerated effect is `worseBy` or `max`. */
  effect: number | null
  interval: readonly [number, number] | null
  tolerated: number
  /** Evidence against "not worse", as log10 of the e-value; a verdict needs log10(1/alpha). */
  log10e: number | null
  /** Not proved, but looks worse: `weak` bakes on, `strong` then waits for a person. */
  suspicion?: 'weak' | 'strong'
  /** Candidate's requests since this step was entered, of the `minSample` that a pass needs in every step. */
  seen?: { requests: number; needed: number }
}

export interface Decision {
  at: number
  code: string
  message: string
  step: number
  by?: string
}

/** Sufficient statistics of one analysis between two looks; opaque outside `statistics/`. */
export type AnalysisMemory = Readonly<Record<string, unknown>>

/** All that the machine remembers. The caller stores it after every `advance` and hands it back. */
export interface RolloutState {
  version: 1
  id: string
  phase: Phase
  /** Index into the plan's steps; -1 before the first. */
  step: number
  /** Percent asked for, and percent last read back. */
  asked: number
  served: number
  startedAt: number
  /** When `asked` was really reached, and since when it is held in good health; null before. */
  reachedAt: number | null
  healthySince: number | null
  pause: { kind: 'step' | 'person' | 'inconclusive' | 'no-data' | 'gate'; since: number; until: number | null } | null
  /** Milliseconds spent paused, in all: counts toward no deadline. */
  pausedMs: number
  /** Deadline for the candidate to become available; moved by the time spent paused. */
  progressDeadlineAt: number | null
  /** Open rollback window after promotion. */
  windowEndsAt: number | null
  reason: Reason
  memory: Readonly<Record<string, AnalysisMemory>>
  /** Newest evidence per analysis, and a thinned series for the plot (bounded). */
  evidence: readonly Evidence[]
  series: readonly Evidence[]
  decisions: readonly Decision[]
  seenControls: readonly string[]
  /** Step at which an abort came, with its cause. */
  aborted: { step: number; at: number; code: string; message: string; evidence: Evidence | null } | null
  /** Highest share asked for, or percent of instances healthy: only a new height is progress, so flapping puts no deadline off. */
  peak: number
  /** Ids as given to `start`; `stable` null for a first deployment. */
  stable: string | null
  candidate: string
  /** The newest instant seen, so that a clock that steps back changes nothing. */
  lookedAt: number
  /** Where a resume returns to. */
  pausedFrom: 'progressing' | 'promoting' | null
  /** Newest step whose rest a person skipped, whose missing data was accepted, and whose pause is over. */
  passed: { skip: number; data: number; pause: number }
  /** A person asked for everything at once: steps, bakes, pauses and analyses are skipped; approvals and windows are not. */
  full: boolean
  /** When the gates before promotion began to be asked; null before `promoting`. */
  promotingAt: number | null
  /** The gates before promotion have passed: the last move to 100% is under way. */
  cleared: boolean
  /** `promote` was given, so an abort from here on must move triggers and pointers back. */
  promoted: boolean
  /** Until when an abandoned candidate is kept for inspection. */
  keepUntil: number | null
}
