import type { AnalysisSpec, Counters, Verdict } from '../machine/types.ts'
import { halfWidth } from './confidence.ts'
import { bet, type EProcess, emptyProcess, logCapital, release } from './e-process.ts'
import { increment, nothingTaken, restarted, type Taken, taken } from './increments.ts'
import { latencyBoundsMs, quantile, slowerThan } from './latency-bounds.ts'
import { shareOfEvents, thinnedContrast } from './payoff.ts'

export type CompareSpec = Extract<AnalysisSpec, { kind: 'compare' }>

/** All that a comparison remembers between two looks. */
export interface CompareMemory extends Record<string, unknown> {
  kind: 'compare'
  stable: Taken
  candidate: Taken
  /** What of the counters came before this comparison began (a retry begins anew). */
  base: { stable: Taken; candidate: Taken }
  /** Index into `latencyBoundsMs`: "slow" means above it. Fixed from stable's first answers, which are then not tested. */
  bound: number | null
  exchangeable: EProcess
  separate: EProcess
  /** Highest evidence so far: the capital may be claimed at its best moment. */
  step: number
  candidateAtStep: number
  intervals: number
}

/** An interval must be this long and hold requests of both, so that a client's retries mostly fall into one. */
export const minIntervalMs = 500
/** Stable's answers from which the latency bound is taken. */
const calibration = 100

export function freshCompare(
  base: { stable: Taken; candidate: Taken } = { stable: nothingTaken, candidate: nothingTaken },
): CompareMemory {
  return {
    kind: 'compare',
    stable: base.stable,
    candidate: base.candidate,
    base,
    bound: null,
    exchangeable: emptyProcess,
    separate: emptyProcess,
    step: Number.MIN_SAFE_INTEGER,
    candidateAtStep: base.candidate.requests,
    intervals: 0,
  }
}

const quantileOf = (metric: CompareSpec['metric']): number => Number(metric.slice('latency-p'.length)) / 100

/** Takes the newest counters in. Repeats, late reports and reports that went down change nothing. */
export function takeIn(
  spec: CompareSpec,
  before: CompareMemory,
  counters: { stable: Counters; candidate: Counters },
  context: { step: number; released: number },
): CompareMemory {
  let memory = before
  if (context.step !== memory.step) {
    memory = {
      ...memory,
      step: context.step,
      candidateAtStep: memory.candidate.requests,
      exchangeable: release(memory.exchangeable, context.released),
      separate: release(memory.separate, context.released),
    }
  }
  if (restarted(memory.stable, counters.stable) || restarted(memory.candidate, counters.candidate))
    return rebase(memory, counters)
  const stable = increment(memory.stable, counters.stable)
  const candidate = increment(memory.candidate, counters.candidate)
  if (spec.metric !== 'error-rate' && memory.bound === null) return calibrate(spec, memory, counters)
  if (!stable || !candidate) return memory
  if (Math.min(stable.through - memory.stable.through, candidate.through - memory.candidate.through) < minIntervalMs)
    return memory
  const events = (arm: Taken) =>
    spec.metric === 'error-rate' ? arm.errors : slowerThan(arm.latency, memory.bound ?? 0)
  const a = { n: stable.requests, x: events(stable) }
  const b = { n: candidate.requests, x: events(candidate) }
  return {
    ...memory,
    stable: taken(counters.stable),
    candidate: taken(counters.candidate),
    exchangeable: bet(memory.exchangeable, shareOfEvents(a, b), 1),
    separate: bet(memory.separate, thinnedContrast(a, b), 1),
    intervals: memory.intervals + 1,
  }
}

function rebase(memory: CompareMemory, counters: { stable: Counters; candidate: Counters }): CompareMemory {
  const stable = taken(counters.stable)
  const candidate = taken(counters.candidate)
  return { ...memory, stable, candidate, base: { stable, candidate }, candidateAtStep: candidate.requests }
}

function calibrate(
  spec: CompareSpec,
  memory: CompareMemory,
  counters: { stable: Counters; candidate: Counters },
): CompareMemory {
  const histogram = counters.stable.latency.map((count, bucket) => count - (memory.base.stable.latency[bucket] ?? 0))
  const level = quantileOf(spec.metric)
  const total = histogram.reduce((sum, each) => sum + each, 0)
  const at = quantile(histogram, level)
  if (at === null || total < calibration) return memory
  let bound = 0
  for (const [index, each] of latencyBoundsMs.entries())
    if (Math.abs(Math.log(each / at)) < Math.abs(Math.log((latencyBoundsMs[bound] ?? 1) / at))) bound = index
  return { ...memory, bound, stable: taken(counters.stable), candidate: taken(counters.candidate) }
}

export interface Finding {
  verdict: Verdict
  sample: { stable: number; candidate: number }
  value: { stable: number | null; candidate: number }
  effect: number | null
  interval: readonly [number, number] | null
  log10e: number | null
  seen: number
  suspicion?: 'weak' | 'strong'
}

/** log10(e) from which a bake is not called good although nothing is proved. */
const suspicion = 0.7

/** The verdict at this look; `counters` are the newest, `memory` what `takeIn` gave. */
export function find(
  spec: CompareSpec,
  memory: CompareMemory,
  counters: { stable: Counters; candidate: Counters },
  alpha: number,
): Finding {
  const of = (arm: 'stable' | 'candidate') => {
    const base = memory.base[arm]
    const now =
      counters[arm].through >= memory[arm].through && counters[arm].requests >= memory[arm].requests
        ? counters[arm]
        : memory[arm]
    return {
      n: Math.max(0, now.requests - base.requests),
      x: Math.max(0, now.errors - base.errors),
      latency: now.latency.map((count, bucket) => Math.max(0, count - (base.latency[bucket] ?? 0))),
      total: now.requests,
    }
  }
  const stable = of('stable')
  const candidate = of('candidate')
  const estimate = (arm: typeof stable) =>
    arm.n === 0 ? null : spec.metric === 'error-rate' ? arm.x / arm.n : quantile(arm.latency, quantileOf(spec.metric))
  const worse = { stable: estimate(stable), candidate: estimate(candidate) }
  const effect = worse.stable === null || worse.candidate === null ? null : worse.candidate - worse.stable
  const log10e = Math.min(logCapital(memory.exchangeable), logCapital(memory.separate)) / Math.LN10
  const seen = Math.max(0, candidate.total - memory.candidateAtStep)
  const interval =
    spec.metric === 'error-rate' && effect !== null ? rateInterval(stable, candidate, effect, alpha) : null
  const proved = log10e >= -Math.log10(alpha) && effect !== null && effect >= spec.worseBy && effect > 0
  // Bets are placed once an interval, so after a short bake the capital says little. Rates that already look worse by any
  // ordinary measure are not called good then: that only extends the bake, so it costs no error budget.
  const looksWorse =
    spec.metric === 'error-rate' && effect !== null && excess(stable, candidate, effect - spec.worseBy) > 2.6
  const beyond = effect !== null && effect >= spec.worseBy && effect > 0
  const suspect = beyond && (log10e >= suspicion || looksWorse) ? 'strong' : beyond && log10e > 0 ? 'weak' : undefined
  const verdict: Verdict =
    candidate.n === 0 || stable.n === 0
      ? 'no-data'
      : proved && candidate.n >= Math.min(spec.minSample, 50)
        ? 'fail'
        : seen < spec.minSample || suspect
          ? 'inconclusive'
          : 'pass'
  return {
    verdict,
    sample: { stable: stable.n, candidate: candidate.n },
    value: { stable: worse.stable, candidate: worse.candidate ?? 0 },
    effect,
    interval,
    log10e: memory.intervals > 0 ? log10e : null,
    seen,
    ...(suspect && verdict === 'inconclusive' ? { suspicion: suspect } : {}),
  }
}

const variance = (arm: { n: number; x: number }) => {
  const rate = (arm.x + 0.5) / (arm.n + 1)
  return (rate * (1 - rate)) / Math.max(1, arm.n)
}

/** How many standard errors a difference of rates is, as if requests were independent. */
function excess(stable: { n: number; x: number }, candidate: { n: number; x: number }, difference: number): number {
  return difference / Math.sqrt(variance(stable) + variance(candidate))
}

function rateInterval(
  stable: { n: number; x: number },
  candidate: { n: number; x: number },
  effect: number,
  alpha: number,
): readonly [number, number] {
  const half = halfWidth(variance(stable) + variance(candidate), candidate.n / 200, alpha)
  return [Math.max(-1, effect - half), Math.min(1, effect + half)]
}
