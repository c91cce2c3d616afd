import type { Counters } from '../machine/types.ts'

/** What was last taken into the evidence. */
export interface Taken {
  requests: number
  errors: number
  latency: readonly number[]
  through: number
}

export const nothingTaken: Taken = { requests: 0, errors: 0, latency: [], through: 0 }

export const taken = (counters: Counters): Taken => ({
  requests: counters.requests,
  errors: counters.errors,
  latency: counters.latency,
  through: counters.through,
})

/**
 * What is new since `last`. Null for a late report (older than what was taken), one that repeats, and one whose counters
 * went down: those change nothing.
 */
export function increment(last: Taken, now: Counters): Taken | null {
  const requests = now.requests - last.requests
  const errors = now.errors - last.errors
  if (now.through < last.through || requests <= 0 || errors < 0) return null
  const latency = now.latency.map((count, bucket) => count - (last.latency[bucket] ?? 0))
  if (latency.some((count) => count < 0)) return null
  return { requests, errors: Math.min(errors, requests), latency, through: now.through }
}

/** Whether the version's counters started again (a counter never goes down otherwise): the base is moved, nothing is counted. */
export function restarted(last: Taken, now: Counters): boolean {
  return now.through > last.through && now.requests < last.requests
}
