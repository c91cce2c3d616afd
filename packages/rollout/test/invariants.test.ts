import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advance } from '../src/machine/advance.ts'
import { retarget, start, supersede } from '../src/machine/start.ts'
import { budget, sideBySide, split } from '../src/plan/capacity.ts'
import { compilePlan } from '../src/plan/compile-plan.ts'
import { fair, people, planned, storm, sunny } from './arbitraries.ts'
import { play, routed } from './play.ts'
import { calm } from './world.ts'

const runs = { numRuns: 200 }
const everything = fc.record({ planned, weather: storm, people })
const running = new Set(['pending', 'progressing', 'paused', 'promoting'])

describe('invariants of a rollout', () => {
  test('1a capacity: never more than desired and surge exist, whatever happens', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { world } of play({ plan, desired, weather, people }))
          expect((world.stable?.total ?? 0) + (world.candidate?.total ?? 0)).toBeLessThanOrEqual(
            desired + budget(plan, desired).surge,
          )
      }),
      runs,
    )
  })

  test('1b capacity: at least desired less unavailable are healthy, unless they broke by themselves', () => {
    fc.assert(
      fc.property(fc.record({ planned, weather: fair, people }), ({ planned: { plan, desired }, weather, people }) => {
        for (const { world } of play({ plan, desired, weather, people }))
          expect((world.stable?.available ?? 0) + (world.candidate?.available ?? 0)).toBeGreaterThanOrEqual(
            desired - budget(plan, desired).unavailable,
          )
      }),
      { numRuns: 400 },
    )
  })

  test('2 capacity before traffic: the share rises only to what healthy candidates carry, and nothing healthy serves nothing', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { before, state, seen } of play({ plan, desired, weather, people })) {
          const available = seen.candidate?.available ?? 0
          if (state.asked > before.asked) {
            const whole = split(plan, desired, state.asked).candidate
            const carries = Math.min(
              Math.ceil((desired * state.asked) / 100 - 1e-9),
              desired + budget(plan, desired).surge - 1,
            )
            expect(available).toBeGreaterThanOrEqual(plan.routing === 'weighted' ? carries : whole)
          }
          const stableServes = (seen.stable?.available ?? 0) > 0
          if (available === 0 && stableServes && state.phase !== 'complete') expect(state.asked).toBe(0)
        }
      }),
      runs,
    )
  })

  test('3a abort: everything is asked back at the very next look, however small stable is at the moment', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { state, seen, actions } of play({ plan, desired, weather, people })) {
          if (state.phase !== 'aborting' || seen.served <= 0.001) continue
          if ((seen.stable?.available ?? 0) > 0) expect(routed(actions)).toBe(0)
        }
      }),
      runs,
    )
  })

  test('3b abort: ends with everything on stable at full scale and the candidate gone', () => {
    const bad = fc.record({ planned, weather: storm, at: fc.integer({ min: 0, max: 40 }) })
    fc.assert(
      fc.property(bad, ({ planned: { plan, desired }, weather, at }) => {
        const settled = {
          ...weather,
          badStable: false,
          flap: 0,
          loss: Math.min(weather.loss, 0.1),
          slow: Math.min(weather.slow, 0.3),
          jumpyClock: false,
          crashesAt: at,
        }
        const moments = [...play({ plan, desired, weather: settled, willing: true, looks: 200 })]
        const last = moments.at(-1)
        if (!last || last.state.phase === 'complete') return
        expect(last.state.phase).toBe('aborted')
        expect(last.world.served).toBe(0)
        expect(last.world.stable?.available).toBe(desired)
        expect(last.world.candidate).toBeNull()
        expect(last.world.promoted).toBe(false)
      }),
      runs,
    )
  })

  test('3c stable stays as large as the surge allows until the promotion was read back', () => {
    fc.assert(
      fc.property(fc.record({ planned, weather: fair, people }), ({ planned: { plan, desired }, weather, people }) => {
        if (!sideBySide(plan, desired) || plan.routing === 'replicas') return
        const { surge, unavailable } = budget(plan, desired)
        for (const { world, state } of play({ plan, desired, weather, people })) {
          if (state.phase === 'complete') break
          expect(world.stable?.desired ?? 0).toBeGreaterThanOrEqual(Math.min(desired, surge) - unavailable)
          if (plan.maxSurge === '100%') expect(world.stable?.desired ?? 0).toBe(desired)
        }
      }),
      runs,
    )
  })

  test('4 stable: a candidate becomes it only with 100% read back, and never after an abort or when superseded', () => {
    fc.assert(
      fc.property(
        everything,
        fc.integer({ min: 0, max: 60 }),
        ({ planned: { plan, desired }, weather, people }, at) => {
          let look = 0
          for (const { actions, seen, state, before, now } of play({ plan, desired, weather, people })) {
            const promotes = actions.some((action) => action.kind === 'promote')
            if (promotes && before.phase !== 'complete') expect(seen.served).toBeGreaterThanOrEqual(99.99)
            if (['aborting', 'aborted', 'superseded'].includes(state.phase)) expect(promotes).toBe(false)
            if (look++ === at && running.has(state.phase)) {
              const gone = advance(plan, supersede(state, now), seen, now)
              expect(gone.state.phase).toBe('superseded')
              expect(gone.actions.some((action) => action.kind === 'promote')).toBe(false)
              if (seen.served > 0.001 && (seen.stable?.available ?? 0) > 0) expect(routed(gone.actions)).toBe(0)
            }
          }
        },
      ),
      runs,
    )
  })

  test('5 a new release mid-way starts at step 0 against the same stable; stable itself needs no steps', () => {
    fc.assert(
      fc.property(
        everything,
        fc.integer({ min: 1, max: 60 }),
        ({ planned: { plan, desired }, weather, people }, at) => {
          const moments = [...play({ plan, desired, weather, people, looks: at })]
          const last = moments.at(-1)
          if (!last || !running.has(last.state.phase)) return
          expect(retarget(last.state, 'v1')).toBe('abort')
          expect(retarget(last.state, 'v2')).toBe('keep')
          expect(retarget(last.state, 'v3')).toBe('supersede')
          const next = start({ id: 'r2', stable: last.state.stable, candidate: 'v3', plan, now: last.now })
          expect(next).toMatchObject({ stable: 'v1', step: -1, asked: 0, phase: 'pending', memory: {} })
          const back = { id: 'back', kind: 'abort' as const, by: 'somebody', at: last.now }
          const aborted = advance(plan, last.state, { ...last.seen, controls: [...last.seen.controls, back] }, last.now)
          expect(['aborting', 'aborted']).toContain(aborted.state.phase)
        },
      ),
      runs,
    )
  })

  test('6 the first deployment skips the steps, not health; the same release again is a no-op', () => {
    fc.assert(
      fc.property(planned, sunny, ({ plan, desired }, weather) => {
        const moments = [...play({ plan, desired, weather, first: true, willing: true, looks: 30 })]
        for (const { state, seen } of moments) {
          expect(state.step).toBe(-1)
          if (state.phase === 'complete') expect(seen.candidate?.available).toBe(desired)
        }
        expect(moments.at(-1)?.state.phase).toBe('complete')
        const again = start({ id: 'r', stable: 'v2', candidate: 'v2', plan, now: 0 })
        const looked = advance(
          plan,
          again,
          { stable: null, candidate: null, served: 0, desired, gates: {}, controls: [] },
          5,
        )
        expect(looked.state.phase).toBe('complete')
        expect(looked.actions).toEqual([])
      }),
      { numRuns: 80 },
    )
  })

  test('7 a step passes only after its bake, held in good health since the share was really reached', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        const promoted = people.some((act) => act.kind === 'promote' || act.kind === 'promote-full')
        if (promoted) return
        let heldSince: number | null = null
        let step = -1
        for (const { before, state, seen } of play({ plan, desired, weather, people })) {
          if (before.step !== step || before.phase === 'pending') heldSince = null
          step = before.step
          const goal = plan.steps[before.step]?.share ?? 100
          const need = split(plan, desired, sideBySide(plan, desired) || goal === 0 ? goal : 100).candidate
          const healthy = (seen.candidate?.available ?? 0) >= need && seen.candidate !== null
          heldSince = healthy ? (heldSince ?? state.lookedAt) : null
          const passed = state.step > before.step || (before.phase !== 'promoting' && state.phase === 'promoting')
          if (!passed || before.step < 0) continue
          expect(healthy).toBe(true)
          expect(state.lookedAt - (heldSince ?? state.lookedAt)).toBeGreaterThanOrEqual(
            plan.steps[before.step]?.bakeMs ?? 0,
          )
        }
      }),
      runs,
    )
  })

  test('7b paused time counts toward no deadline, and flapping does not put it off', () => {
    const plan = compilePlan(
      { strategy: 'canary', steps: [{ share: 50 }], progressDeadline: '20s' },
      { workers: 1, routing: 'weighted', instances: 2 },
    )
    const paused = [{ look: 2, kind: 'pause' as const, answer: 'pass' as const }]
    const asleep = [...play({ plan, desired: 2, weather: { ...calm, slow: 1 }, people: paused, looks: 100 })].at(-1)
    expect(asleep?.state.phase).toBe('paused')
    const woken = [...paused, { look: 60, kind: 'resume' as const, answer: 'pass' as const }]
    const later = [...play({ plan, desired: 2, weather: { ...calm, slow: 1 }, people: woken, looks: 100 })]
    expect(later.find(({ state }) => state.aborted)?.state).toMatchObject({
      aborted: { code: 'progress-deadline', at: (asleep?.state.startedAt ?? 0) + 20_000 + 58_000 },
      pausedMs: 58_000,
    })
    const stuck = [...play({ plan, desired: 2, weather: { ...calm, slow: 1 }, looks: 100 })].find(
      ({ state }) => state.phase === 'aborted',
    )
    expect(stuck?.state.aborted?.code).toBe('progress-deadline')
    expect((stuck?.state.aborted?.at ?? 0) - (stuck?.state.startedAt ?? 0)).toBe(20_000)
    const long = compilePlan(
      { strategy: 'canary', steps: [{ share: 50, bake: '1h' }], progressDeadline: '20s' },
      { workers: 1, routing: 'weighted', instances: 2 },
    )
    const flapping = [...play({ plan: long, desired: 2, weather: { ...calm, flap: 0.7, slow: 0.5 }, looks: 300 })].at(
      -1,
    )
    expect(flapping?.state.aborted?.code).toBe('progress-deadline')
  })

  test('8 no data is not success: without requests nothing passes before maxBake, and then as the plan says', () => {
    fc.assert(
      fc.property(planned, sunny, ({ plan, desired }, weather) => {
        const counting = plan.analysis.some((spec) => spec.metric !== 'restarts' && spec.minSample > 0)
        if (!counting || plan.strategy !== 'canary') return
        const quiet = { ...weather, perLook: 0 }
        for (const { before, state } of play({ plan, desired, weather: quiet, people: [], looks: 150 })) {
          const passed =
            before.step >= 0 &&
            (state.step > before.step || (before.phase !== 'promoting' && state.phase === 'promoting'))
          if (!passed) continue
          expect(plan.onNoData).toBe('promote-on-health')
          const { bakeMs } = plan.steps[before.step] ?? { bakeMs: 0 }
          expect(state.lookedAt - (before.healthySince ?? state.lookedAt)).toBeGreaterThanOrEqual(
            Math.max(bakeMs, plan.maxBakeMs),
          )
        }
      }),
      runs,
    )
  })

  test('8b measurements that arrive late are waited for', () => {
    const plan = compilePlan(
      {
        strategy: 'canary',
        steps: [{ share: 50, bake: '10s' }],
        analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 1 }],
      },
      { workers: 1, routing: 'weighted', instances: 2 },
    )
    let heldSince = 0
    for (const { seen, before, state, now } of play({ plan, desired: 2, weather: calm, looks: 14 })) {
      if (before.healthySince !== null) heldSince = before.healthySince
      const counters = seen.candidate?.counters
      if (!counters) continue
      const stale = {
        ...seen,
        candidate: seen.candidate && {
          ...seen.candidate,
          counters: { ...counters, through: Math.min(counters.through, heldSince + 4000) },
        },
      }
      const looked = advance(plan, before, stale, now)
      if (before.phase === 'progressing' && state.phase === 'promoting')
        expect(looked.state.reason.code).toBe('waiting-for-measurements')
      expect(looked.state.phase).not.toBe('promoting')
      if (state.phase === 'promoting') return
    }
    expect.unreachable('never came to the end of its bake')
  })

  test('9 what was tested is what is promoted: ids do not change, and a superseded candidate never serves again', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { state } of play({ plan, desired, weather, people })) {
          expect(state.stable).toBe('v1')
          expect(state.candidate).toBe('v2')
        }
      }),
      { numRuns: 40 },
    )
  })

  test('10 a crash loop ends a rollout at the look that sees it, before any deadline, even in a pause', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { seen, state, before } of play({ plan, desired, weather, people })) {
          if (seen.candidate?.failing && ['progressing', 'paused', 'promoting'].includes(before.phase))
            expect(running.has(state.phase)).toBe(false)
        }
      }),
      runs,
    )
  })

  test('11a a stable that has nothing healthy does not block a good candidate', () => {
    fc.assert(
      fc.property(planned, sunny, ({ plan, desired }, weather) => {
        const moments = [
          ...play({
            plan: { ...plan, analysis: [], postPromotion: [] },
            desired,
            weather: { ...weather, badStable: true },
            willing: true,
            looks: 400,
          }),
        ]
        expect(moments.at(-1)?.state.phase).toBe('complete')
      }),
      { numRuns: 80 },
    )
  })

  test('11b a failure after the promotion goes back within the window', () => {
    const plan = compilePlan(
      {
        strategy: 'canary',
        steps: [{ share: 50, bake: '1s' }],
        postPromotion: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01 }],
        rollbackWindow: '60s',
      },
      { workers: 1, routing: 'weighted', instances: 4 },
    )
    const moments = [
      ...play({ plan, desired: 4, weather: { ...calm, errors: { stable: 0.002, candidate: 0.05 } }, looks: 100 }),
    ]
    expect(moments.some(({ state }) => state.phase === 'complete')).toBe(true)
    const last = moments.at(-1)
    expect(last?.state.aborted?.code).toBe('analysis-failed')
    expect(last?.world).toMatchObject({ served: 0, promoted: false, candidate: null })
    expect(last?.world.stable?.available).toBe(4)
  })

  test('12 a share counts as reached only when it was read back; by ratio the plan names the true share', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { state, seen, before } of play({ plan, desired, weather, people })) {
          const reached = state.reachedAt !== null && before.reachedAt === null && state.phase === 'progressing'
          const goal = plan.steps[state.step]?.share ?? 100
          const alone = (seen.stable?.available ?? 0) === 0 && goal > 0
          if (reached && plan.routing === 'weighted' && sideBySide(plan, desired))
            expect(alone ? Math.max(0, goal - seen.served) : Math.abs(seen.served - goal)).toBeLessThanOrEqual(0.5)
        }
        if (plan.routing === 'weighted' || !sideBySide(plan, desired)) return
        for (const step of plan.steps.filter(({ share }) => share > 0 && share < 100)) {
          const { candidate, stable } = split(plan, desired, step.share)
          expect(step.share).toBeCloseTo((100 * candidate) / (candidate + stable), 1)
        }
      }),
      runs,
    )
  })
})

describe('the machine as a whole', () => {
  test('is pure and level-triggered: the same input gives the same answer, and a repeated look changes no decision', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        let look = 0
        for (const { before, seen, state, actions, now } of play({ plan, desired, weather, people })) {
          if (look++ % 5 !== 4) continue
          const again = advance(plan, before, seen, now)
          expect(again).toEqual({ state, actions })
          const stored = JSON.parse(JSON.stringify(before))
          expect(advance(plan, stored, seen, now).state.phase).toBe(state.phase)
          expect(stored).toEqual(before)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('acts on every control once, and stays bounded however long it runs', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        const last = [...play({ plan, desired, weather, people, looks: 400 })].at(-1)
        const controls = last?.state.decisions.filter(({ code }) => code.startsWith('control-')) ?? []
        expect(controls.length).toBeLessThanOrEqual(people.filter(({ kind }) => kind !== 'answer').length)
        expect(last?.state.series.length).toBeLessThanOrEqual(300)
        expect(last?.state.decisions.length).toBeLessThanOrEqual(200)
        expect(JSON.stringify(last?.state).length).toBeLessThan(400_000)
      }),
      { numRuns: 40 },
    )
  })

  test('always says what it waits for and since when', () => {
    fc.assert(
      fc.property(everything, ({ planned: { plan, desired }, weather, people }) => {
        for (const { state, before } of play({ plan, desired, weather, people })) {
          expect(state.reason.code).toMatch(/^[a-z0-9-]+$/)
          expect(state.reason.message.length).toBeGreaterThan(5)
          expect(state.reason.message).not.toMatch(/NaN|undefined|null|Infinity/)
          if (state.reason.code === before.reason.code) expect(state.reason.since).toBe(before.reason.since)
        }
      }),
      runs,
    )
  })

  test('a good release ends complete, with the old version gone', () => {
    fc.assert(
      fc.property(planned, sunny, ({ plan, desired }, weather) => {
        const last = [...play({ plan, desired, weather, willing: true, looks: 500 })].at(-1)
        expect(last?.state.phase).toBe('complete')
        expect(last?.world).toMatchObject({ served: 100, promoted: true, stable: null })
      }),
      { numRuns: 100 },
    )
  })
})
