import { alphaEach } from '../plan/compile-plan.ts'
import { judge, rebased } from '../statistics/judge.ts'
import { quantile } from '../statistics/latency-bounds.ts'
import { beginAbort } from './abort.ts'
import type { Look } from './draft.ts'
import { isGate } from './gates.ts'
import type { AnalysisSpec, Counters, Evidence } from './types.ts'

const maxSeries = 300

/** The analyses that watch now. Those before promotion watch from the start, so that they have data when they are asked. */
export function watching({ plan, draft }: Look): readonly AnalysisSpec[] {
  if (draft.phase === 'complete') return draft.windowEndsAt === null ? [] : plan.postPromotion
  const step = plan.steps[Math.max(0, draft.step)]?.analysis ?? []
  const before = plan.prePromotion.filter((spec): spec is AnalysisSpec => !isGate(spec))
  return [...plan.analysis, ...step, ...before]
}

/** Looks at all analyses once; the first proof of harm begins the abort. */
export function measure(look: Look): void {
  const { draft, plan, seen, now } = look
  const active = ['progressing', 'paused', 'promoting', 'complete'].includes(draft.phase)
  if (!active || draft.stable === null || (draft.full && draft.phase !== 'complete')) return
  for (const asked of watching(look)) {
    const promoted = draft.phase === 'complete'
    const spec = promoted ? afterPromotion(asked, seen.stable?.counters) : asked
    if (!spec) continue
    const before =
      draft.memory[spec.id] ?? (promoted ? rebased(spec, seen.stable?.counters, seen.candidate?.counters) : undefined)
    const { memory, evidence } = judge(spec, before, {
      stable: seen.stable?.counters,
      candidate: seen.candidate?.counters,
      alpha: alphaEach(plan),
      now,
      step: draft.step,
      released: releasedAt(plan.steps.length, draft.step),
    })
    if (memory !== draft.memory[spec.id]) draft.memory = { ...draft.memory, [spec.id]: memory }
    record(look, evidence)
    if (evidence.verdict !== 'fail') continue
    beginAbort(look, 'analysis-failed', `${describe(evidence)}${promoted ? ' after the promotion' : ''}`, evidence)
    return
  }
}

/**
 * After the promotion stable serves nothing more to compare with: the limit is what it did in this rollout, and the
 * tolerated effect on top. Null where stable has answered nothing.
 */
function afterPromotion(spec: AnalysisSpec, stable: Counters | undefined): AnalysisSpec | null {
  if (spec.kind === 'threshold') return spec
  if (!stable || stable.requests === 0) return null
  const usual =
    spec.metric === 'error-rate'
      ? stable.errors / stable.requests
      : (quantile(stable.latency, Number(spec.metric.slice('latency-p'.length)) / 100) ?? 0)
  return { id: spec.id, kind: 'threshold', metric: spec.metric, max: usual + spec.worseBy, minSample: spec.minSample }
}

/** The part of the capital still held back that a step puts at stake: most at the first, the rest evenly over the others. */
export function releasedAt(steps: number, step: number): number {
  if (steps <= 1 || step >= steps - 1) return 1
  return step <= 0 ? 0.7 : 1 / (steps - step)
}

function record({ draft }: Look, evidence: Evidence): void {
  const last = draft.evidence.find((each) => each.analysis === evidence.analysis)
  draft.evidence = [...draft.evidence.filter((each) => each.analysis !== evidence.analysis), evidence]
  const same =
    last &&
    last.verdict === evidence.verdict &&
    last.sample.candidate === evidence.sample.candidate &&
    last.sample.stable === evidence.sample.stable
  if (same) return
  const series = [...draft.series, evidence]
  draft.series = series.length > maxSeries ? thin(series) : series
}

/** Halves the older three quarters, so that the plot stays whole and its newest part dense. */
function thin(series: readonly Evidence[]): Evidence[] {
  const dense = Math.floor(series.length / 4)
  const ids = new Map<string, number>()
  return series.filter((each, index) => {
    const count = ids.get(each.analysis) ?? 0
    ids.set(each.analysis, count + 1)
    return index >= series.length - dense || count % 2 === 0 || each.verdict === 'fail'
  })
}

const metricNames: Readonly<Record<Evidence['metric'], string>> = {
  'error-rate': 'Errors',
  'latency-p50': 'Latency (p50)',
  'latency-p90': 'Latency (p90)',
  'latency-p95': 'Latency (p95)',
  'latency-p99': 'Latency (p99)',
  restarts: 'Restarts',
}

/** An evidence in words: "Errors 3.1% against 0.2% on stable, 214 requests seen (tolerated: 1% more)". */
export function describe(evidence: Evidence): string {
  const show = (value: number | null) =>
    value === null
      ? 'unknown'
      : evidence.metric === 'error-rate'
        ? `${Number((100 * value).toFixed(2))}%`
        : evidence.metric === 'restarts'
          ? String(value)
          : `${Math.round(value)} ms`
  const seen = evidence.metric === 'restarts' ? '' : `, ${evidence.sample.candidate} requests seen`
  const against = evidence.kind === 'compare' ? ` against ${show(evidence.value.stable)} on stable` : ''
  const limit =
    evidence.kind === 'compare' ? `tolerated: ${show(evidence.tolerated)} more` : `limit: ${show(evidence.tolerated)}`
  return `${metricNames[evidence.metric]} ${show(evidence.value.candidate)}${against}${seen} (${limit})`
}

/** How the analyses that are asked now stand: the worst of them, and whether what they know includes the instant `until`. */
export function standing(
  look: Look,
  specs: readonly AnalysisSpec[],
): { verdict: Evidence['verdict']; evidence: Evidence | null } {
  const order = ['pass', 'no-data', 'inconclusive', 'fail'] as const
  let worst: Evidence | null = null
  for (const spec of specs) {
    const evidence = look.draft.evidence.find((each) => each.analysis === spec.id) ?? null
    if (evidence && (!worst || order.indexOf(evidence.verdict) > order.indexOf(worst.verdict))) worst = evidence
  }
  return { verdict: worst?.verdict ?? (specs.length === 0 ? 'pass' : 'no-data'), evidence: worst }
}
