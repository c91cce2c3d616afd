import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { budget, nearestRatio, sideBySide, split, trueShare } from './capacity.ts'
import { allAnalyses, alphaEach, compilePlan, findGate } from './compile-plan.ts'
import { durationMs } from './duration.ts'
import type { PlanInput } from './plan-input.ts'

const one = { workers: 1, routing: 'weighted' as const, instances: 4 }
const canary: PlanInput = {
  strategy: 'canary',
  steps: [
    { share: 17, bake: '3m', gates: [{ kind: 'approval' }, { kind: 'threshold', metric: 'error-rate', max: 0.1 }] },
    { share: 50, pause: 'until-resumed' },
    { share: 83, pause: '90s' },
  ],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
  prePromotion: [{ kind: 'command' }, { kind: 'compare', metric: 'latency-p99', worseBy: 100 }],
  alpha: 0.04,
}

describe('compilePlan', () => {
  test('parses durations, gives ids, keeps analyses of a step apart from its gates', () => {
    const plan = compilePlan(canary, one)
    expect(plan.steps[0]).toMatchObject({
      share: 17,
      bakeMs: 180_000,
      gates: [{ id: 'step-0.0.approval', kind: 'approval' }],
    })
    expect(plan.steps[0]?.analysis).toMatchObject([{ id: 'step-0.1.error-rate', kind: 'threshold', minSample: 20 }])
    expect(plan.steps.map((step) => step.pause)).toEqual([undefined, 'until-resumed', 90_000])
    expect(plan).toMatchObject({
      onNoData: 'hold',
      maxBakeMs: 1_800_000,
      progressDeadlineMs: 600_000,
      maxSurge: '100%',
    })
  })

  test('divides the error budget over workers and analyses', () => {
    const plan = compilePlan(canary, { ...one, workers: 2 })
    expect(plan.alpha).toBeCloseTo(0.02)
    expect(alphaEach(plan)).toBeCloseTo(0.02 / 3)
    expect(new Set(allAnalyses(plan).map(({ id }) => id)).size).toBe(3)
  })

  test('several workers wait for one another', () => {
    expect(compilePlan(canary, { ...one, workers: 2 }).prePromotion.at(-1)).toEqual({ id: 'peers', kind: 'peers' })
    expect(compilePlan(canary, one).prePromotion.some(({ kind }) => kind === 'peers')).toBe(false)
  })

  test('a gate is found again by its id', () => {
    const plan = compilePlan({ ...canary, smoke: { kind: 'command' } }, { ...one, workers: 2 })
    expect(findGate(canary, 'step-0.0.approval')).toEqual({ kind: 'approval' })
    expect(findGate(canary, 'pre-promotion.0.command')).toEqual({ kind: 'command' })
    expect(findGate({ ...canary, smoke: { kind: 'command' } }, plan.smoke?.id ?? '')).toEqual({ kind: 'command' })
    expect(findGate(canary, 'peers')).toBeUndefined()
  })

  test('blue-green: a preview that serves nothing holds the gates before promotion', () => {
    const plan = compilePlan(
      { strategy: 'blue-green', steps: [{ share: 100, bake: '1m' }], prePromotion: [{ kind: 'command' }] },
      one,
    )
    expect(plan.steps).toMatchObject([
      { share: 0, gates: [{ kind: 'command' }] },
      { share: 100, bakeMs: 60_000 },
    ])
    expect(plan).toMatchObject({ maxSurge: '100%', prePromotion: [] })
    expect(split(plan, 4, 0)).toEqual({ candidate: 4, stable: 4 })
  })

  test('by replica ratio it says which share is really served', () => {
    const plan = compilePlan(
      { strategy: 'canary', steps: [{ share: 10 }, { share: 50 }] },
      { workers: 1, routing: 'replicas', instances: 4 },
    )
    expect(plan.steps).toMatchObject([{ share: 20, wanted: 10 }, { share: 50 }])
    expect(plan.notes?.[0]).toBe('Step 1 serves 20% instead of 10%: only whole instances can be shared out here.')
  })

  test('one instance without surge is changed at once, and it says so', () => {
    const plan = compilePlan(
      { strategy: 'canary', steps: [{ share: 20 }], maxSurge: 0, maxUnavailable: 1 },
      { ...one, instances: 1 },
    )
    expect(sideBySide(plan, 1)).toBe(false)
    expect(plan.steps).toMatchObject([{ share: 100, wanted: 20 }])
    expect(plan.notes?.join(' ')).toContain('short outage')
  })

  test('a duration that is none is refused', () => {
    expect(() => durationMs('soon')).toThrow(RangeError)
    expect(durationMs('1.5h')).toBe(5_400_000)
  })
})

describe('capacity', () => {
  test('percent of surge rounds up, of unavailable down; not both zero', () => {
    expect(budget({ maxSurge: '25%', maxUnavailable: '25%' }, 5)).toEqual({ surge: 2, unavailable: 1 })
    expect(budget({ maxSurge: 0, maxUnavailable: 0 }, 5)).toEqual({ surge: 1, unavailable: 0 })
    expect(budget({ maxSurge: 0, maxUnavailable: 9 }, 5)).toEqual({ surge: 0, unavailable: 5 })
  })

  test('the nearest ratio is never beaten by another pair within the budget, and never leaves one out', () => {
    const sizes = fc.record({
      desired: fc.integer({ min: 1, max: 20 }),
      surge: fc.integer({ min: 1, max: 5 }),
      share: fc.integer({ min: 1, max: 99 }),
    })
    fc.assert(
      fc.property(sizes, ({ desired, surge, share }) => {
        const best = nearestRatio(desired, surge, share)
        expect(best.candidate).toBeGreaterThanOrEqual(1)
        expect(best.stable).toBeGreaterThanOrEqual(1)
        const total = best.candidate + best.stable
        expect(total).toBeGreaterThanOrEqual(Math.max(2, desired))
        expect(total).toBeLessThanOrEqual(desired + surge)
        const error = Math.abs((100 * best.candidate) / total - share)
        for (let candidate = 1; candidate <= desired; candidate++)
          for (let stable = 1; stable <= desired; stable++) {
            if (candidate + stable < desired || candidate + stable > desired + surge) continue
            expect(error).toBeLessThanOrEqual(Math.abs((100 * candidate) / (candidate + stable) - share) + 1e-6)
          }
      }),
    )
    expect(trueShare({ candidate: 0, stable: 0 })).toBe(0)
  })
})
