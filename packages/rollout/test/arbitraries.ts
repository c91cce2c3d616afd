import fc from 'fast-check'
import type { Control } from '../src/machine/types.ts'
import { compilePlan } from '../src/plan/compile-plan.ts'
import type { AnalysisInput, GateInput } from '../src/plan/plan-input.ts'
import { calm, type Weather } from './world.ts'

const seconds = (max: number) => fc.integer({ min: 0, max }).map((value) => `${value}s`)
const gate: fc.Arbitrary<GateInput> = fc
  .constantFrom('approval', 'window', 'webhook', 'command', 'job')
  .map((kind) => ({ kind }))
const analysis: fc.Arbitrary<AnalysisInput> = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    metric: fc.constantFrom('error-rate' as const, 'latency-p99' as const),
    worseBy: fc.constantFrom(0.005, 0.01, 0.05),
    minSample: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    kind: fc.constant('threshold' as const),
    metric: fc.constantFrom('error-rate' as const, 'restarts' as const),
    max: fc.constantFrom(0.02, 0.2),
    minSample: fc.integer({ min: 0, max: 100 }),
  }),
)

/** Budgets that allow some move, as counts or percent. */
const allowance = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('25%' as const, '50%' as const, '100%' as const),
)

export const instances = fc.integer({ min: 1, max: 12 })

export const planInput = fc.record({
  strategy: fc.constantFrom('canary' as const, 'canary' as const, 'blue-green' as const, 'all-at-once' as const),
  steps: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 }).chain((shares) =>
    fc.tuple(
      ...[...shares]
        .sort((a, b) => a - b)
        .map((share) =>
          fc.record({
            share: fc.constant(share),
            bake: seconds(8),
            pause: fc.option(fc.oneof(seconds(5), fc.constant('until-resumed')), { nil: undefined, freq: 4 }),
            gates: fc.array(gate, { maxLength: 1 }),
          }),
        ),
    ),
  ),
  analysis: fc.array(analysis, { maxLength: 2 }),
  prePromotion: fc.array(gate, { maxLength: 1 }),
  postPromotion: fc.array(analysis, { maxLength: 1 }),
  rollbackWindow: seconds(10),
  maxBake: seconds(30),
  onNoData: fc.constantFrom('hold' as const, 'promote-on-health' as const),
  progressDeadline: fc.constantFrom('20s', '10m'),
  maxSurge: allowance,
  maxUnavailable: allowance,
  abortKeep: seconds(5),
})

/** A plan with the number of instances it is for. */
export const planned = fc
  .record({
    input: planInput,
    desired: instances,
    routing: fc.constantFrom('weighted' as const, 'weighted' as const, 'replicas' as const),
  })
  .map(({ input, desired, routing }) => {
    const steps =
      input.strategy === 'all-at-once'
        ? []
        : input.strategy === 'blue-green'
          ? input.steps.slice(-1).map((step) => ({ ...step, share: 100 }))
          : input.steps
    return { desired, plan: compilePlan({ ...input, steps }, { workers: 1, routing, instances: desired }) }
  })

const seed = fc.integer({ min: 1, max: 2 ** 31 })
const rates = fc.record({ stable: fc.constantFrom(0, 0.002, 0.05), candidate: fc.constantFrom(0, 0.002, 0.05, 0.3) })

/** Everything that can go wrong, together. */
export const storm: fc.Arbitrary<Weather> = fc.record({
  seed,
  loss: fc.constantFrom(0, 0.1, 0.5),
  slow: fc.constantFrom(0, 0.3, 0.9),
  flap: fc.constantFrom(0, 0.05, 0.4),
  lateCounters: fc.constantFrom(0, 0.2, 1),
  slowRouter: fc.constantFrom(0, 0.5),
  lookMs: fc.constantFrom(500, 1000, 5000),
  jumpyClock: fc.boolean(),
  crashesAt: fc.option(fc.integer({ min: 0, max: 60 }), { nil: null, freq: 3 }),
  badStable: fc.boolean(),
  errors: rates,
  perLook: fc.constantFrom(0, 3, 50, 500),
})

/** Instances start slowly and the router lags, but nothing breaks: what is asked for can be kept at every moment. */
export const fair: fc.Arbitrary<Weather> = storm.map((weather) => ({
  ...weather,
  flap: 0,
  crashesAt: null,
  badStable: false,
  jumpyClock: false,
}))

/** Nothing goes wrong and nobody fails. */
export const sunny: fc.Arbitrary<Weather> = seed.map((each) => ({ ...calm, seed: each }))

export type Planned = { look: number; kind: Control['kind'] | 'answer'; answer: 'pass' | 'fail' }

/** What people do, and when. */
export const people = fc.array(
  fc.record({
    look: fc.integer({ min: 0, max: 80 }),
    kind: fc.constantFrom(
      'pause',
      'resume',
      'resume',
      'promote',
      'promote-full',
      'abort',
      'retry',
      'answer',
      'answer',
      'answer',
    ),
    answer: fc.constantFrom('pass' as const, 'pass' as const, 'pass' as const, 'fail' as const),
  }),
  { maxLength: 12 },
) as fc.Arbitrary<Planned[]>
