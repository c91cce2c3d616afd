import { latencyBoundsMs, latencyBucket } from '@landfall/rollout'

/** Cumulative for the life of a version in its environment. */
export interface Counters {
  requests: number
  errors: number
  /** One count more than there are bounds: the last holds everything slower. */
  latency: number[]
  restarts: number
}

export function emptyCounters(): Counters {
  return { requests: 0, errors: 0, latency: latencyBoundsMs.map(() => 0).concat(0), restarts: 0 }
}

export function addCounters(counters: Counters, sample: { error: boolean; ms: number }): void {
  counters.requests++
  if (sample.error) counters.errors++
  const bucket = latencyBucket(sample.ms)
  counters.latency[bucket] = (counters.latency[bucket] ?? 0) + 1
}

/** Counters as they were stored; those with other boundaries start anew. */
export function parseCounters(text: string | null): Counters | null {
  if (text === null) return null
  const counters = JSON.parse(text) as Counters
  return counters.latency.length === latencyBoundsMs.length + 1 ? counters : null
}
