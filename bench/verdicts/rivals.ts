import { type Counters, quantile } from '../../packages/rollout/src/index.ts'
import { looks, type Schedule, type Traffic } from '../../packages/rollout/test/streams.ts'
import { mannWhitneyGreater } from './mann-whitney.ts'

export interface Stopped {
  failed: boolean
  /** Candidate's requests when it was stopped. */
  requests: number
}

type Metric = 'error-rate' | 'latency-p50' | 'latency-p99'

/** What a look adds, as the number that a metrics query gives for it. */
function value(metric: Metric, before: Counters, now: Counters): number | null {
  const n = now.requests - before.requests
  if (n <= 0) return null
  if (metric === 'error-rate') return (now.errors - before.errors) / n
  const latency = now.latency.map((count, bucket) => count - (before.latency[bucket] ?? 0))
  return quantile(latency, Number(metric.slice('latency-p'.length)) / 100)
}

const nothing: Counters = { requests: 0, errors: 0, latency: [], restarts: 0, through: 0 }
/** Looks that make one interval of analysis. */
const window = 10

interface Interval {
  stable: number[]
  candidate: number[]
  requests: number
}

function* intervals(metric: Metric, traffic: Traffic, schedule: Schedule, seed: number): Generator<Interval> {
  let before = { stable: nothing, candidate: nothing }
  let interval: Interval = { stable: [], candidate: [], requests: 0 }
  let count = 0
  for (const look of looks(traffic, schedule, seed)) {
    const stable = value(metric, before.stable, look.stable)
    const candidate = value(metric, before.candidate, look.candidate)
    before = look
    if (stable !== null) interval.stable.push(stable)
    if (candidate !== null) interval.candidate.push(candidate)
    count += 1
    if (count % window !== 0) continue
    yield { ...interval, requests: look.candidate.requests }
    interval = { stable: [], candidate: [], requests: 0 }
  }
}

/** Mann-Whitney at 5%, tested anew in every interval. */
export function mannWhitney(metric: Metric, traffic: Traffic, schedule: Schedule, seed: number): Stopped {
  let requests = 0
  for (const interval of intervals(metric, traffic, schedule, seed)) {
    requests = interval.requests
    if (interval.candidate.length > 2 && mannWhitneyGreater(interval.candidate, interval.stable) < 0.05)
      return { failed: true, requests }
  }
  return { failed: false, requests }
}

/** A fixed limit on the candidate's mean of an interval (Flagger's and Argo's default kind of gate): 99% success, or a latency. */
export function fixedThreshold(
  limit: number,
  metric: Metric,
  traffic: Traffic,
  schedule: Schedule,
  seed: number,
): Stopped {
  let requests = 0
  for (const interval of intervals(metric, traffic, schedule, seed)) {
    requests = interval.requests
    const mean = interval.candidate.reduce((sum, each) => sum + each, 0) / Math.max(1, interval.candidate.length)
    if (mean > limit) return { failed: true, requests }
  }
  return { failed: false, requests }
}
