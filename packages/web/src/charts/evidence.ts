/** One look of the sequential test, as the rollout's machine stores it (`Evidence` of packages/rollout). */
export interface Evidence {
  analysis: string
  metric: string
  kind: 'compare' | 'threshold'
  verdict: 'pass' | 'fail' | 'inconclusive' | 'no-data'
  at: number
  step: number
  test: string
  alpha: number
  sample: { stable: number; candidate: number }
  value: { stable: number | null; candidate: number }
  effect: number | null
  interval: readonly [number, number] | null
  tolerated: number
  log10e: number | null
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const orNull = (value: unknown) => (isNumber(value) ? value : null)
const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}

/** Reads what the API hands over as opaque JSON; null for what this page does not know, instead of a broken plot. */
export function readEvidence(value: unknown): Evidence | null {
  const from = record(value)
  const sample = record(from.sample)
  const values = record(from.value)
  const { analysis, metric, kind, verdict, at, step, test, alpha, tolerated } = from
  if (typeof analysis !== 'string' || typeof metric !== 'string' || !isNumber(at) || !isNumber(tolerated)) return null
  if (kind !== 'compare' && kind !== 'threshold') return null
  if (verdict !== 'pass' && verdict !== 'fail' && verdict !== 'inconclusive' && verdict !== 'no-data') return null
  const interval = Array.isArray(from.interval) ? (from.interval as unknown[]) : []
  const [low, high] = interval
  return {
    analysis,
    metric,
    kind,
    verdict,
    at,
    step: isNumber(step) ? step : 0,
    test: typeof test === 'string' ? test : '',
    alpha: isNumber(alpha) ? alpha : 0,
    sample: { stable: orNull(sample.stable) ?? 0, candidate: orNull(sample.candidate) ?? 0 },
    value: { stable: orNull(values.stable), candidate: orNull(values.candidate) ?? 0 },
    effect: orNull(from.effect),
    interval: isNumber(low) && isNumber(high) ? [low, high] : null,
    tolerated,
    log10e: orNull(from.log10e),
  }
}

/** The series of each analysis, oldest look first. */
export function seriesOf(values: readonly unknown[]): Map<string, Evidence[]> {
  const byAnalysis = new Map<string, Evidence[]>()
  for (const value of values) {
    const evidence = readEvidence(value)
    if (!evidence) continue
    const series = byAnalysis.get(evidence.analysis)
    if (series) series.push(evidence)
    else byAnalysis.set(evidence.analysis, [evidence])
  }
  for (const series of byAnalysis.values()) series.sort((a, b) => a.at - b.at)
  return byAnalysis
}

export const metricName = (metric: string) =>
  metric === 'error-rate'
    ? 'Error rate'
    : metric.replace(/^latency-(p\d+)$/, 'Latency $1').replace('restarts', 'Restarts')

/** A value of the metric, for people: rates as percent, latencies in milliseconds. */
export function amount(metric: string, value: number): string {
  if (metric === 'error-rate') return `${(value * 100).toFixed(Math.abs(value) < 0.1 ? 1 : 0)}%`
  if (metric.startsWith('latency')) return `${Math.round(value)} ms`
  return String(Math.round(value * 100) / 100)
}

/** A difference of the metric: rates in percentage points, with its sign. */
export function difference(metric: string, value: number): string {
  const text =
    metric === 'error-rate' ? `${(Math.abs(value) * 100).toFixed(1)} points` : amount(metric, Math.abs(value))
  const sign = /^[0.]+\b/.test(text) && !/[1-9]/.test(text) ? '±' : value < 0 ? '−' : '+'
  return `${sign}${text}`
}

/** The state of a test in one sentence. */
export function verdictSentence(evidence: Evidence): string {
  const { metric, value, sample, verdict } = evidence
  const name = metricName(metric)
  const measured =
    evidence.kind === 'compare' && value.stable !== null
      ? `${amount(metric, value.candidate)} against ${amount(metric, value.stable)} on stable`
      : `${amount(metric, value.candidate)}`
  const counted = `after ${sample.candidate.toLocaleString('en')} candidate requests`
  const limit =
    evidence.kind === 'compare'
      ? `${difference(metric, evidence.tolerated)} tolerated`
      : `at most ${amount(metric, evidence.tolerated)} tolerated`
  const words = {
    pass: `${name} shows no harm: ${measured} ${counted}; ${limit}.`,
    fail: `${name} is worse: ${measured} ${counted}; ${limit}.`,
    inconclusive: `${name} is undecided: ${measured} ${counted}; ${limit}.`,
    'no-data': `${name} has no data yet; ${limit}.`,
  }
  return words[verdict]
}
