import type { AnalysisMemory, AnalysisSpec, Counters, Evidence } from '../machine/types.ts'
import { type CompareMemory, find, freshCompare, takeIn } from './compare.ts'
import { nothingTaken, taken } from './increments.ts'
import { findThreshold, freshThreshold, type ThresholdMemory, takeThreshold } from './threshold.ts'

export interface Look {
  stable: Counters | undefined
  candidate: Counters | undefined
  alpha: number
  now: number
  step: number
  /** Part of the capital held back that is put at stake when `step` is new to this analysis (see `e-process.ts`). */
  released: number
}

export const testName = {
  compare: 'two-model betting e-process',
  threshold: 'mixture likelihood-ratio e-process',
  restarts: 'count',
} as const

/**
 * One look of one analysis: memory with the new evidence taken in, and what it shows. Looking twice at the same counters
 * changes nothing.
 */
export function judge(
  spec: AnalysisSpec,
  before: AnalysisMemory | undefined,
  look: Look,
): { memory: AnalysisMemory; evidence: Evidence } {
  return spec.kind === 'compare' ? judgeCompare(spec, before, look) : judgeThreshold(spec, before, look)
}

/** Begins anew from what the counters say now: what was counted before is no evidence in a retry. */
export function rebased(
  spec: AnalysisSpec,
  stable: Counters | undefined,
  candidate: Counters | undefined,
): AnalysisMemory {
  const base = (counters: Counters | undefined) => (counters ? taken(counters) : nothingTaken)
  return spec.kind === 'compare'
    ? freshCompare({ stable: base(stable), candidate: base(candidate) })
    : freshThreshold(base(candidate), candidate?.restarts ?? 0)
}

function judgeCompare(
  spec: Extract<AnalysisSpec, { kind: 'compare' }>,
  before: AnalysisMemory | undefined,
  look: Look,
) {
  const memory = (before as CompareMemory | undefined) ?? freshCompare()
  const common = {
    analysis: spec.id,
    metric: spec.metric,
    kind: spec.kind,
    at: look.now,
    step: look.step,
    test: testName.compare,
    alpha: look.alpha,
  }
  if (!look.stable || !look.candidate) {
    const evidence: Evidence = {
      ...common,
      verdict: 'no-data',
      sample: { stable: look.stable?.requests ?? 0, candidate: look.candidate?.requests ?? 0 },
      value: { stable: null, candidate: 0 },
      effect: null,
      interval: null,
      tolerated: spec.worseBy,
      log10e: null,
      seen: { requests: 0, needed: spec.minSample },
    }
    return { memory, evidence }
  }
  const counters = { stable: look.stable, candidate: look.candidate }
  const next = takeIn(spec, memory, counters, look)
  const { seen, ...found } = find(spec, next, counters, look.alpha)
  const evidence: Evidence = {
    ...common,
    ...found,
    tolerated: spec.worseBy,
    seen: { requests: seen, needed: spec.minSample },
  }
  return { memory: next, evidence }
}

function judgeThreshold(
  spec: Extract<AnalysisSpec, { kind: 'threshold' }>,
  before: AnalysisMemory | undefined,
  look: Look,
) {
  const memory = (before as ThresholdMemory | undefined) ?? freshThreshold()
  const next = look.candidate ? takeThreshold(memory, look.candidate, look.step) : memory
  const found = look.candidate
    ? findThreshold(spec, next, look.candidate, look.alpha)
    : { verdict: 'no-data' as const, sample: 0, value: 0, log10e: null, seen: 0 }
  const evidence: Evidence = {
    analysis: spec.id,
    metric: spec.metric,
    kind: spec.kind,
    verdict: found.verdict,
    at: look.now,
    step: look.step,
    test: spec.metric === 'restarts' ? testName.restarts : testName.threshold,
    alpha: look.alpha,
    sample: { stable: look.stable?.requests ?? 0, candidate: found.sample },
    value: { stable: null, candidate: found.value },
    effect: null,
    interval: null,
    tolerated: spec.max,
    log10e: found.log10e,
    seen: { requests: found.seen, needed: spec.minSample },
  }
  return { memory: next, evidence }
}
