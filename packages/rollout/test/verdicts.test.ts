import { describe, expect, test } from 'vitest'
import type { AnalysisSpec } from '../src/machine/types.ts'
import { runComparison } from './run-comparison.ts'
import { harms, noDifference, oneStep, threeSteps } from './scenarios.ts'

const alpha = 0.05
const rollouts = 400
const spec = (metric: 'error-rate' | 'latency-p99' | 'latency-p50', worseBy: number): AnalysisSpec => ({
  id: metric,
  kind: 'compare',
  metric,
  worseBy,
  minSample: 50,
})

/** Two analyses share the budget of a rollout; no minimum effect protects here, so that the test itself is what is tested. */
function falseAborts(index: number): number {
  const traffic = noDifference[index]
  if (!traffic) throw new Error('no such scenario')
  let aborted = 0
  for (let seed = 1; seed <= rollouts; seed++) {
    const errors = runComparison(spec('error-rate', 0), alpha / 2, traffic, threeSteps, seed * 7919)
    const slow =
      errors.failed || seed % 4 !== 0
        ? errors
        : runComparison(spec('latency-p99', 0), alpha / 2, traffic, threeSteps, seed * 7919)
    if (errors.failed || slow.failed) aborted += 1
  }
  return aborted / rollouts
}

describe('false aborts of a whole rollout, looked at 180 times, stay within alpha', () => {
  test.each(noDifference.map(({ name }, index) => ({ name, index })))('$name', ({ index }) => {
    expect(falseAborts(index)).toBeLessThanOrEqual(alpha)
  })
})

/** Candidate's requests until half, and nine of ten, of the rollouts were stopped; Infinity if they were not. */
function delays(index: number, share = alpha / 2): { half: number; most: number } {
  const harm = harms[index]
  if (!harm) throw new Error('no such scenario')
  const runs = Array.from({ length: 60 }, (_, seed) =>
    runComparison(spec(harm.metric, harm.worseBy), share, harm.traffic, oneStep, seed + 1),
  )
  const sorted = runs.map((each) => (each.failed ? each.requests : Number.POSITIVE_INFINITY)).sort((a, b) => a - b)
  return { half: sorted[30] ?? Number.POSITIVE_INFINITY, most: sorted[53] ?? Number.POSITIVE_INFINITY }
}

describe('harm is found, at 20% and 10 requests a look', () => {
  test.each([
    { index: 0, half: 1200, most: Number.POSITIVE_INFINITY },
    { index: 1, half: 300, most: 420 },
    { index: 2, half: 350, most: 520 },
    { index: 3, half: 130, most: 200 },
    { index: 4, half: 450, most: 900 },
    { index: 5, half: 1500, most: Number.POSITIVE_INFINITY },
  ])('scenario $index: half within $half requests, nine of ten within $most', ({ index, half, most }) => {
    const found = delays(index)
    expect(found.half).toBeLessThanOrEqual(half)
    expect(found.most).toBeLessThanOrEqual(most)
  })
})

test('a good release passes a short bake with modest traffic', () => {
  const traffic = { name: 'good', perSecond: 200, errors: 0.002 }
  const schedule = { shares: [20], looksPerStep: 5, secondsPerLook: 1 }
  const verdicts = Array.from(
    { length: 200 },
    (_, seed) => runComparison(spec('error-rate', 0.01), alpha / 2, traffic, schedule, seed + 1).last?.verdict,
  )
  expect(verdicts.filter((each) => each === 'pass').length).toBeGreaterThanOrEqual(190)
  expect(verdicts).not.toContain('fail')
})
