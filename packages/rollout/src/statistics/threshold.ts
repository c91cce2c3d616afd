import type { AnalysisSpec, Counters, Verdict } from '../machine/types.ts'
import { nothingTaken, restarted, type Taken, taken } from './increments.ts'
import { quantile, slowerThanMs } from './latency-bounds.ts'

export type ThresholdSpec = Extract<AnalysisSpec, { kind: 'threshold' }>

export interface ThresholdMemory extends Record<string, unknown> {
  kind: 'threshold'
  base: Taken
  last: Taken
  restartsAtStart: number
  step: number
  requestsAtStep: number
}

export function freshThreshold(base: Taken = nothingTaken, restarts = 0): ThresholdMemory {
  return {
    kind: 'threshold',
    base,
    last: base,
    restartsAtStart: restarts,
    step: Number.MIN_SAFE_INTEGER,
    requestsAtStep: base.requests,
  }
}

export function takeThreshold(memory: ThresholdMemory, counters: Counters, step: number): ThresholdMemory {
  if (restarted(memory.last, counters)) {
    const base = taken(counters)
    return { ...memory, base, last: base, step, requestsAtStep: base.requests }
  }
  const next =
    counters.through < memory.last.through || counters.requests < memory.last.requests ? memory.last : taken(counters)
  return {
    ...memory,
    last: next,
    step,
    requestsAtStep: step === memory.step ? memory.requestsAtStep : memory.last.requests,
  }
}

/**
 * Natural logarithm of an e-value against "the rate is at most `limit`": a mixture of likelihood ratios against larger
 * rates. Each ratio has mean ≤ 1 under any smaller rate, so the mixture is an e-process under continuous looking
 * (independent requests are assumed; a limit is the author's own number, so harm to it is weighed less carefully).
 */
export function logAgainst(limit: number, n: number, x: number): number {
  if (limit <= 0) return x > 0 ? Number.POSITIVE_INFINITY : 0
  if (limit >= 1) return 0
  const rates = [1.25, 1.6, 2.5, 5, 10].map((factor) => 1 - (1 - limit) * Math.exp(-(factor - 1) * limit))
  const logs = rates.map((rate) => x * Math.log(rate / limit) + (n - x) * Math.log((1 - rate) / (1 - limit)))
  const high = Math.max(...logs)
  return high + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - high), 0) / logs.length)
}

export interface ThresholdFinding {
  verdict: Verdict
  sample: number
  value: number
  log10e: number | null
  seen: number
}

/** Fails when the value is above `max` and that is proved at α; passes with enough requests and a value within `max`. */
export function findThreshold(
  spec: ThresholdSpec,
  memory: ThresholdMemory,
  counters: Counters,
  alpha: number,
): ThresholdFinding {
  const n = Math.max(0, memory.last.requests - memory.base.requests)
  const seen = Math.max(0, memory.last.requests - memory.requestsAtStep)
  if (spec.metric === 'restarts') {
    const restarts = Math.max(0, counters.restarts - memory.restartsAtStart)
    return { verdict: restarts > spec.max ? 'fail' : 'pass', sample: n, value: restarts, log10e: null, seen }
  }
  const latency = memory.last.latency.map((count, bucket) => Math.max(0, count - (memory.base.latency[bucket] ?? 0)))
  const errors = Math.max(0, memory.last.errors - memory.base.errors)
  const level = spec.metric === 'error-rate' ? 0 : Number(spec.metric.slice('latency-p'.length)) / 100
  const value = spec.metric === 'error-rate' ? (n === 0 ? 0 : errors / n) : (quantile(latency, level) ?? 0)
  const log =
    spec.metric === 'error-rate'
      ? logAgainst(spec.max, n, errors)
      : logAgainst(1 - level, n, slowerThanMs(latency, spec.max))
  const above = value > spec.max
  const verdict: Verdict =
    n === 0
      ? 'no-data'
      : above && n >= spec.minSample && log >= -Math.log(alpha)
        ? 'fail'
        : above || seen < spec.minSample
          ? 'inconclusive'
          : 'pass'
  return { verdict, sample: n, value, log10e: Math.min(300, log / Math.LN10), seen }
}
