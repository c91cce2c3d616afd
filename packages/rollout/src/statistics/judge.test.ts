import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnalysisMemory, AnalysisSpec, Counters } from '../machine/types.ts'
import { judge, rebased } from './judge.ts'
import { latencyBoundsMs, latencyBucket, quantile, slowerThanMs } from './latency-bounds.ts'
import { logAgainst } from './threshold.ts'

const errors: AnalysisSpec = { id: 'errors', kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }
const counters = (requests: number, failed: number, through: number): Counters => {
  const latency = new Array(latencyBoundsMs.length + 1).fill(0)
  latency[5] = requests
  return { requests, errors: failed, latency, restarts: 0, through }
}
const look = (stable: Counters | undefined, candidate: Counters | undefined, step = 0) => ({
  stable,
  candidate,
  alpha: 0.05,
  now: 1,
  step,
  released: 1,
})

describe('a comparison', () => {
  test('says no-data without counters and without traffic', () => {
    expect(judge(errors, undefined, look(undefined, counters(10, 0, 1))).evidence.verdict).toBe('no-data')
    expect(judge(errors, undefined, look(counters(10, 0, 1), undefined)).evidence.verdict).toBe('no-data')
    expect(judge(errors, undefined, look(counters(10, 0, 1), counters(0, 0, 1))).evidence.verdict).toBe('no-data')
  })

  test('is inconclusive below the minimum sample of each step, and passes from it', () => {
    const few = judge(errors, undefined, look(counters(400, 0, 1000), counters(49, 0, 1000)))
    expect(few.evidence).toMatchObject({ verdict: 'inconclusive', seen: { requests: 49, needed: 50 } })
    const enough = judge(errors, few.memory, look(counters(800, 0, 2000), counters(100, 0, 2000)))
    expect(enough.evidence.verdict).toBe('pass')
    const next = judge(errors, enough.memory, look(counters(900, 0, 3000), counters(120, 0, 3000), 1))
    expect(next.evidence).toMatchObject({ verdict: 'inconclusive', seen: { requests: 20, needed: 50 } })
  })

  test('repeated, late and shrunken reports change nothing', () => {
    const cumulative = fc.array(fc.record({ n: fc.integer({ min: 0, max: 50 }), x: fc.integer({ min: 0, max: 5 }) }), {
      minLength: 2,
      maxLength: 15,
    })
    fc.assert(
      fc.property(cumulative, fc.integer({ min: 0, max: 14 }), (steps, repeat) => {
        const reports: { stable: Counters; candidate: Counters }[] = []
        let [n, x] = [0, 0]
        for (const [index, step] of steps.entries()) {
          n += step.n
          x += Math.min(step.x, step.n)
          reports.push({
            stable: counters(4 * n, x, 1000 * (index + 1)),
            candidate: counters(n, x, 1000 * (index + 1)),
          })
        }
        const run = (noisy: boolean) => {
          let memory: AnalysisMemory | undefined
          for (const [index, report] of reports.entries()) {
            memory = judge(errors, memory, look(report.stable, report.candidate)).memory
            const old = reports[Math.min(repeat, index)]
            if (noisy && old) {
              memory = judge(errors, memory, look(report.stable, report.candidate)).memory
              memory = judge(errors, memory, look(old.stable, old.candidate)).memory
            }
          }
          return memory
        }
        expect(run(true)).toEqual(run(false))
      }),
    )
  })

  test('its memory survives being stored as JSON', () => {
    const first = judge(errors, undefined, look(counters(400, 0, 1000), counters(100, 9, 1000)))
    const stored = JSON.parse(JSON.stringify(first.memory))
    expect(stored).toEqual(first.memory)
    const next = look(counters(800, 1, 2000), counters(200, 20, 2000))
    expect(judge(errors, stored, next)).toEqual(judge(errors, first.memory, next))
  })

  test('needs the effect too: proof of a difference smaller than the tolerated one does not fail', () => {
    let memory: AnalysisMemory | undefined
    let last = judge(errors, memory, look(counters(0, 0, 0), counters(0, 0, 0))).evidence
    for (let index = 1; index <= 300; index++) {
      const judged = judge(
        errors,
        memory,
        look(counters(4000 * index, 4 * index, 1000 * index), counters(1000 * index, 6 * index, 1000 * index)),
      )
      memory = judged.memory
      last = judged.evidence
    }
    expect(last.log10e).toBeGreaterThan(3)
    expect(last.verdict).toBe('pass')
  })

  test('a retry starts without the evidence of before', () => {
    const bad = { stable: counters(4000, 0, 5000), candidate: counters(1000, 300, 5000) }
    const fresh = rebased(errors, bad.stable, bad.candidate)
    const judged = judge(errors, fresh, look(counters(4400, 0, 6000), counters(1100, 300, 6000)))
    expect(judged.evidence).toMatchObject({ verdict: 'pass', value: { candidate: 0 }, sample: { candidate: 100 } })
  })
})

describe('a threshold', () => {
  const limit: AnalysisSpec = { id: 'limit', kind: 'threshold', metric: 'error-rate', max: 0.02, minSample: 20 }
  test('does not fail on one unlucky error, and does on many', () => {
    expect(judge(limit, undefined, look(undefined, counters(20, 1, 1))).evidence.verdict).toBe('inconclusive')
    expect(judge(limit, undefined, look(undefined, counters(200, 30, 1))).evidence.verdict).toBe('fail')
    expect(judge(limit, undefined, look(undefined, counters(200, 2, 1))).evidence.verdict).toBe('pass')
  })

  test('restarts are counted', () => {
    const restarts: AnalysisSpec = { id: 'restarts', kind: 'threshold', metric: 'restarts', max: 2, minSample: 0 }
    const after = (count: number) =>
      judge(restarts, undefined, look(undefined, { ...counters(0, 0, 1), restarts: count })).evidence.verdict
    expect([after(0), after(2), after(3)]).toEqual(['pass', 'pass', 'fail'])
  })

  test('latency: the fraction above the limit', () => {
    const slow: AnalysisSpec = { id: 'slow', kind: 'threshold', metric: 'latency-p90', max: 100, minSample: 20 }
    const histogram = (fast: number, late: number): Counters => {
      const latency = new Array(latencyBoundsMs.length + 1).fill(0)
      latency[latencyBucket(20)] = fast
      latency[latencyBucket(400)] = late
      return { requests: fast + late, errors: 0, latency, restarts: 0, through: 1 }
    }
    expect(judge(slow, undefined, look(undefined, histogram(950, 50))).evidence.verdict).toBe('pass')
    expect(judge(slow, undefined, look(undefined, histogram(700, 300))).evidence.verdict).toBe('fail')
  })

  test('its evidence has a mean of at most 1 at the limit itself', () => {
    for (const p of [0.001, 0.02, 0.3]) {
      let mean = 0
      let probability = (1 - p) ** 80
      for (let x = 0; x <= 80; x++) {
        mean += probability * Math.exp(logAgainst(p, 80, x))
        probability *= ((80 - x) / (x + 1)) * (p / (1 - p))
      }
      expect(mean).toBeLessThanOrEqual(1 + 1e-9)
    }
  })
})

describe('the histogram', () => {
  test('a quantile lies in the bucket that holds it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (values, q) => {
          const latency = new Array(latencyBoundsMs.length + 1).fill(0)
          for (const value of values) latency[latencyBucket(value)] += 1
          const exact = [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0
          const found = quantile(latency, q) ?? -1
          const bucket = latencyBucket(exact)
          expect(found).toBeGreaterThanOrEqual(latencyBoundsMs[bucket - 1] ?? 0)
          expect(found).toBeLessThanOrEqual(latencyBoundsMs[bucket] ?? Number.POSITIVE_INFINITY)
        },
      ),
    )
    expect(quantile(new Array(latencyBoundsMs.length + 1).fill(0), 0.5)).toBeNull()
  })

  test('counts what is slower, interpolated', () => {
    const latency = new Array(latencyBoundsMs.length + 1).fill(0)
    latency[latencyBucket(150)] = 10
    expect(slowerThanMs(latency, 100)).toBe(10)
    expect(slowerThanMs(latency, 125)).toBe(5)
    expect(slowerThanMs(latency, 150)).toBe(0)
  })
})
