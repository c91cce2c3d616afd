import { expect, test } from 'vitest'
import { difference, readEvidence, seriesOf, verdictSentence } from './evidence.ts'

const look = {
  analysis: 'error-rate',
  metric: 'error-rate',
  kind: 'compare',
  verdict: 'fail',
  at: 2_000,
  step: 1,
  test: 'mixture-betting-e-process',
  alpha: 0.05,
  sample: { stable: 2_100, candidate: 480 },
  value: { stable: 0.002, candidate: 0.031 },
  effect: 0.029,
  interval: [0.012, 0.046],
  tolerated: 0.01,
  log10e: 3.1,
}

test('evidence as the machine stores it is read whole', () => {
  expect(readEvidence(look)).toEqual(look)
})

test('what is not evidence is left out instead of drawn', () => {
  expect(readEvidence(null)).toBeNull()
  expect(readEvidence({ ...look, verdict: 'maybe' })).toBeNull()
  expect(readEvidence({ ...look, at: '12:00' })).toBeNull()
  expect(readEvidence({ ...look, interval: [0.1] })).toMatchObject({ interval: null })
})

test('looks are gathered by analysis, in order of time', () => {
  const other = { ...look, analysis: 'latency', metric: 'latency-p99', at: 1 }
  const series = seriesOf([look, other, { ...look, at: 1_000 }, 'nonsense'])
  expect([...series.keys()]).toEqual(['error-rate', 'latency'])
  expect(series.get('error-rate')?.map(({ at }) => at)).toEqual([1_000, 2_000])
})

test('a verdict says what was measured, on how many, and what is tolerated', () => {
  const evidence = readEvidence(look)
  if (!evidence) throw new Error('not read')
  expect(verdictSentence(evidence)).toBe(
    'Error rate is worse: 3.1% against 0.2% on stable after 480 candidate requests; +1.0 points tolerated.',
  )
})

test('differences carry their sign, but nothing is not negative', () => {
  expect(difference('error-rate', -0.012)).toBe('−1.2 points')
  expect(difference('error-rate', -0.0001)).toBe('±0.0 points')
  expect(difference('latency-p99', 80)).toBe('+80 ms')
})
