import type { Evidence } from '@landfall/rollout'

export type { Evidence }

const percent = (value: number | null) => (value === null ? '–' : `${(100 * value).toFixed(2)}%`)

/** Test, α, sample and effect of a verdict in one line. */
export function describeEvidence(evidence: Evidence): string {
  const rate = evidence.metric === 'error-rate'
  const show = (value: number | null) => (rate ? percent(value) : value === null ? '–' : `${value.toFixed(1)} ms`)
  const interval = evidence.interval ? ` [${show(evidence.interval[0])}, ${show(evidence.interval[1])}]` : ''
  return `${evidence.metric}: ${show(evidence.value.candidate)} against ${show(evidence.value.stable)}, effect ${show(evidence.effect)}${interval} with ${show(evidence.tolerated)} tolerated; ${evidence.test}, α ${evidence.alpha.toPrecision(2)}, ${evidence.sample.candidate} against ${evidence.sample.stable} requests`
}
