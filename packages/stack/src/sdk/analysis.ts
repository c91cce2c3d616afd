import type { z } from 'zod'
import { durationMs } from '../manifest/names.ts'
import type { comparison, threshold } from '../manifest/rollout-plan.ts'
import type { Duration } from './definition.ts'

export type AnalysisInput = z.input<typeof comparison> | z.input<typeof threshold>

interface Sample {
  /** Requests the candidate must have answered before a verdict. */
  minSample?: number
}

/**
 * The rate of failed requests, 0 to 1. `worseBy`: the candidate may be worse than stable by this; `max`: it may not be above this.
 */
export function errorRate(
  options: ({ worseBy: number; max?: never } | { max: number; worseBy?: never }) & Sample,
): AnalysisInput {
  return measure('error-rate', options.worseBy, options.max, options.minSample)
}

/** Latency of requests at a percentile, compared with stable (`worseBy: '100ms'`) or with a limit (`max: '2s'`). */
export function latency(
  percentile: 'p50' | 'p90' | 'p95' | 'p99',
  options: ({ worseBy: Duration; max?: never } | { max: Duration; worseBy?: never }) & Sample,
): AnalysisInput {
  const ms = (text: Duration | undefined) => (text === undefined ? undefined : durationMs(text))
  return measure(`latency-${percentile}`, ms(options.worseBy), ms(options.max), options.minSample)
}

/** Restarts of the candidate's instances since it first served. */
export function restarts(options: { max: number }): AnalysisInput {
  return { kind: 'threshold', metric: 'restarts', max: options.max, minSample: 0 }
}

function measure(
  metric: z.input<typeof comparison>['metric'],
  worseBy: number | undefined,
  max: number | undefined,
  minSample: number | undefined,
): AnalysisInput {
  const sample = minSample === undefined ? {} : { minSample }
  if (worseBy !== undefined) return { kind: 'compare', metric, worseBy, ...sample }
  return { kind: 'threshold', metric, max: max ?? 0, ...sample }
}
