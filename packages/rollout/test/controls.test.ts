import { describe, expect, test } from 'vitest'
import type { Control } from '../src/machine/types.ts'
import { compilePlan } from '../src/plan/compile-plan.ts'
import type { PlanInput } from '../src/plan/plan-input.ts'
import type { Planned } from './arbitraries.ts'
import { type Moment, play } from './play.ts'
import { calm } from './world.ts'

const compile = (input: Omit<PlanInput, 'strategy'>) =>
  compilePlan({ strategy: 'canary', ...input }, { workers: 1, routing: 'weighted', instances: 2 })
const at = (look: number, kind: Control['kind']): Planned => ({ look, kind, answer: 'pass' })
const run = (input: Omit<PlanInput, 'strategy'>, people: Planned[] = [], looks = 60, weather = calm): Moment[] => [
  ...play({ plan: compile(input), desired: 2, weather, people, looks }),
]
const phases = (moments: Moment[]) => moments.map(({ state }) => state.phase)
const end = (moments: Moment[]) => moments.at(-1)?.state

describe('what people do', () => {
  test('a pause holds the share where it is; a resume goes on', () => {
    const held = run({ steps: [{ share: 20, bake: '5s' }, { share: 50 }] }, [at(3, 'pause')])
    expect(end(held)).toMatchObject({ phase: 'paused', step: 0, asked: 20, pause: { kind: 'person' } })
    expect(
      end(run({ steps: [{ share: 20, bake: '5s' }, { share: 50 }] }, [at(3, 'pause'), at(10, 'resume')]))?.phase,
    ).toBe('complete')
  })

  test('a pause before the first look holds everything at nothing, and no step is skipped afterwards', () => {
    const moments = run({ steps: [{ share: 20, bake: '5s' }] }, [at(0, 'pause'), at(0, 'resume')])
    expect(moments[1]?.state).toMatchObject({ phase: 'progressing', step: 0 })
    expect(end(run({ steps: [{ share: 20 }] }, [at(0, 'pause')]))).toMatchObject({ phase: 'paused', asked: 0 })
  })

  test('promote ends a pause or a step, never both', () => {
    const steps = [
      { share: 20, pause: 'until-resumed' },
      { share: 50, bake: '1h' },
    ]
    const once = run({ steps }, [at(20, 'promote')])
    expect(end(once)).toMatchObject({ phase: 'progressing', step: 1 })
    expect(end(run({ steps }, [at(20, 'promote'), at(40, 'promote')]))?.phase).toBe('complete')
  })

  test('promote-full skips steps, bakes and pauses, but not approvals', () => {
    const steps = [
      { share: 20, bake: '1h' },
      { share: 50, pause: 'until-resumed' },
    ]
    expect(end(run({ steps }, [at(5, 'promote-full')]))?.phase).toBe('complete')
    const guarded = {
      steps: [
        { share: 20, bake: '1h' },
        { share: 50, gates: [{ kind: 'approval' as const }] },
      ],
    }
    expect(end(run(guarded, [at(5, 'promote-full')]))).toMatchObject({ phase: 'paused', pause: { kind: 'gate' } })
    expect(end(run(guarded, [at(5, 'promote-full'), { look: 20, kind: 'answer', answer: 'pass' }]))?.phase).toBe(
      'complete',
    )
  })

  test('a resume or promote does not answer an approval', () => {
    const guarded = { steps: [{ share: 20, gates: [{ kind: 'approval' as const }] }] }
    expect(end(run(guarded, [at(20, 'resume'), at(30, 'promote')]))).toMatchObject({
      phase: 'paused',
      pause: { kind: 'gate' },
    })
    expect(end(run(guarded, [{ look: 20, kind: 'answer', answer: 'fail' }]))?.aborted?.code).toBe('gate-failed')
  })

  test('an abort returns at once; a retry starts at step 0; the same control twice acts once', () => {
    const steps = [
      { share: 20, bake: '5s' },
      { share: 50, bake: '5s' },
    ]
    const aborted = run({ steps }, [at(12, 'abort')])
    expect(end(aborted)).toMatchObject({ phase: 'aborted', asked: 0, aborted: { code: 'aborted-by-person' } })
    const retried = run({ steps }, [at(12, 'abort'), at(20, 'retry')])
    expect(phases(retried).filter((phase, index, all) => phase !== all[index - 1])).toEqual([
      'progressing',
      'aborting',
      'aborted',
      'progressing',
      'promoting',
      'complete',
    ])
    expect(
      retried.flatMap(({ state }) => state.decisions).filter(({ code }) => code === 'control-retry').length,
    ).toBeGreaterThan(0)
    expect(end(retried)?.decisions.filter(({ code }) => code === 'control-abort')).toHaveLength(1)
  })

  test('an abort after completion does nothing without a window, and goes back within one', () => {
    expect(end(run({ steps: [{ share: 50 }] }, [at(40, 'abort')]))?.phase).toBe('complete')
    const back = run({ steps: [{ share: 50 }], rollbackWindow: '10m' }, [at(40, 'abort')])
    expect(end(back)?.phase).toBe('aborted')
    expect(back.at(-1)?.world).toMatchObject({ served: 0, promoted: false })
  })
})

describe('data', () => {
  const analysis = [{ kind: 'compare' as const, metric: 'error-rate' as const, worseBy: 0.01, minSample: 500 }]
  const steps = [{ share: 50, bake: '2s' }]

  test('too little holds for a person after maxBake, who may accept it', () => {
    const quiet = { ...calm, perLook: 2 }
    const held = run({ steps, analysis, maxBake: '10s' }, [], 60, quiet)
    expect(end(held)).toMatchObject({ phase: 'paused', pause: { kind: 'no-data' }, reason: { code: 'paused-no-data' } })
    expect(end(run({ steps, analysis, maxBake: '10s' }, [at(40, 'resume')], 60, quiet))?.phase).toBe('complete')
  })

  test('a pause for missing data ends by itself when the data come', () => {
    const slow = { ...calm, perLook: 40 }
    const moments = run({ steps, analysis, maxBake: '5s' }, [], 80, slow)
    expect(phases(moments)).toContain('paused')
    expect(end(moments)?.phase).toBe('complete')
  })

  test('promote-on-health goes on after maxBake, with the smoke command where there is one', () => {
    const quiet = { ...calm, perLook: 0 }
    const plan = { steps, analysis, maxBake: '10s', onNoData: 'promote-on-health' as const }
    expect(end(run(plan, [], 60, quiet))?.phase).toBe('complete')
    const smoked = { ...plan, smoke: { kind: 'command' as const } }
    expect(end(run(smoked, [], 60, quiet))).toMatchObject({
      phase: 'progressing',
      reason: { code: 'waiting-for-smoke' },
    })
    expect(end(run(smoked, [{ look: 40, kind: 'answer', answer: 'pass' }], 60, quiet))?.phase).toBe('complete')
    expect(end(run(smoked, [{ look: 40, kind: 'answer', answer: 'fail' }], 60, quiet))?.aborted?.code).toBe(
      'gate-failed',
    )
  })

  test('harm is stopped with its evidence, in words', () => {
    const bad = { ...calm, errors: { stable: 0.002, candidate: 0.06 } }
    const stopped = end(
      run(
        { steps: [{ share: 20, bake: '1m' }], analysis: analysis.map((each) => ({ ...each, minSample: 50 })) },
        [],
        60,
        bad,
      ),
    )
    expect(stopped?.aborted).toMatchObject({
      step: 0,
      code: 'analysis-failed',
      evidence: { verdict: 'fail', metric: 'error-rate' },
    })
    expect(stopped?.aborted?.message).toMatch(
      /^Errors [\d.]+% against [\d.]+% on stable, \d+ requests seen \(tolerated: 1% more\)$/,
    )
    expect(stopped?.aborted?.evidence?.log10e).toBeGreaterThanOrEqual(Math.log10(20))
  })

  test('a release that fails 3% is mostly stopped even by bakes of five seconds, and a good one is not held up', () => {
    const steps = [
      { share: 20, bake: '5s' },
      { share: 50, bake: '5s' },
    ]
    const short = { steps, analysis: analysis.map((each) => ({ ...each, minSample: 50 })) }
    const outcome = (candidate: number) =>
      Array.from({ length: 60 }, (_, index) => {
        const weather = { ...calm, seed: 31 * index + 1, perLook: 50, errors: { stable: 0.002, candidate } }
        return end(run(short, [], 150, weather))?.phase
      })
    expect(outcome(0.03).filter((phase) => phase === 'aborted').length).toBeGreaterThanOrEqual(48)
    expect(outcome(0.002).filter((phase) => phase === 'complete')).toHaveLength(60)
  })

  test('the bake says how far it is', () => {
    const messages = run({ steps: [{ share: 20, bake: '60s' }], analysis }, [], 20).map(
      ({ state }) => state.reason.message,
    )
    expect(messages.at(-1)).toMatch(/^Baking at 20%: \d+ s of 60 s, \d+ of 500 requests seen$/)
  })

  test('a worker scaled to nothing is promoted without instances', () => {
    const plan = compilePlan(
      { strategy: 'canary', steps: [{ share: 20 }] },
      { workers: 1, routing: 'weighted', instances: 0 },
    )
    expect(plan.steps[0]?.share).toBe(20)
    const moments = [...play({ plan, desired: 0, weather: calm, looks: 40 })]
    expect(end(moments)?.phase).toBe('complete')
    expect(moments.at(-1)?.world).toMatchObject({ promoted: true, stable: null })
  })

  test('several workers promote together', () => {
    const plan = compilePlan(
      { strategy: 'canary', steps: [{ share: 50 }] },
      { workers: 2, routing: 'weighted', instances: 2 },
    )
    const waiting = [...play({ plan, desired: 2, weather: calm, looks: 40 })]
    expect(end(waiting)).toMatchObject({ phase: 'promoting', asked: 100, reason: { code: 'waiting-for-peers' } })
    const together = [
      ...play({ plan, desired: 2, weather: calm, looks: 60, people: [{ look: 40, kind: 'answer', answer: 'pass' }] }),
    ]
    expect(end(together)?.phase).toBe('complete')
    const alone = [
      ...play({ plan, desired: 2, weather: calm, looks: 60, people: [{ look: 40, kind: 'answer', answer: 'fail' }] }),
    ]
    expect(end(alone)).toMatchObject({ phase: 'aborted' })
  })
})
