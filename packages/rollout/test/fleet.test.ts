import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advanceFleet } from '../src/fleet/advance-fleet.ts'
import { startFleet, supersedeFleet } from '../src/fleet/start-fleet.ts'
import type { FleetPlan, FleetState } from '../src/fleet/types.ts'
import { fleetPeople, fleetPlans, fleetWeather, playFleet } from './fleet-world.ts'

const runs = { numRuns: 100 }
const everything = fc.record({ plan: fleetPlans, weather: fleetWeather, people: fleetPeople })
const still = { seed: 1, members: 5, loss: 0, slow: 0, fail: 0, leave: 0, broken: 0, freeze: null, late: 0 }
const simple: FleetPlan = {
  waves: [
    { name: 'first', groups: ['ring-0'], soakMs: 3000 },
    { name: 'all', share: 100, soakMs: 0 },
  ],
  maxInFlight: 10,
  minSuccess: 100,
  maxFailures: 1,
  onFailure: 'abort',
  rollbackReached: true,
}
const members = (state: FleetState) => Object.values(state.members)
const newlyTold = (before: FleetState, after: FleetState) =>
  members(after).filter((each) => each.told && each.status === 'in-flight' && before.members[each.id]?.told !== true)

describe('invariants of a fleet', () => {
  test('F1 who is pinned, offline or outside a window is not told, and does not hold the others up', () => {
    fc.assert(
      fc.property(everything, ({ plan, weather, people }) => {
        for (const { before, state, seen, actions } of playFleet(plan, weather, people)) {
          const away = new Set(seen.members.filter((each) => each.excluded).map((each) => each.id))
          for (const member of newlyTold(before, state)) expect(away.has(member.id)).toBe(false)
          for (const action of actions) if (action.kind === 'assign') expect(away.has(action.deployment)).toBe(false)
        }
      }),
      runs,
    )
    const absent = { ...still, members: 9 }
    const moments = []
    for (const moment of playFleet({ ...simple, waves: [{ name: 'all', share: 100, soakMs: 0 }] }, absent)) {
      for (const site of moment.fleet.sites) site.away = site.id === 'd4'
      moments.push(moment)
    }
    expect(moments.at(-1)?.state.phase).toBe('complete')
    expect(moments.at(-1)?.state.members.d4?.status).toBe('excluded')
  })

  test('F2 at most maxInFlight are on their way at once', () => {
    fc.assert(
      fc.property(everything, ({ plan, weather, people }) => {
        for (const { before, state } of playFleet(plan, weather, people)) {
          const flying = members(state).filter((each) => each.status === 'in-flight').length
          if (newlyTold(before, state).length > 0) expect(flying).toBeLessThanOrEqual(plan.maxInFlight)
        }
      }),
      runs,
    )
  })

  test('F3 a later wave is told nothing before the one before it has settled, succeeded enough and soaked', () => {
    fc.assert(
      fc.property(fleetPlans, fleetWeather, (plan, weather) => {
        const calm = { ...weather, late: 0, leave: 0 }
        for (const { before, state } of playFleet(plan, calm)) {
          for (const member of newlyTold(before, state)) {
            const earlier = members(state).filter((each) => each.wave < member.wave && each.status !== 'excluded')
            for (const each of earlier) expect(['succeeded', 'failed']).toContain(each.status)
            for (let wave = 0; wave < member.wave; wave++) {
              const own = earlier.filter((each) => each.wave === wave)
              const good = own.filter((each) => each.status === 'succeeded').length
              if (plan.onFailure === 'abort' && own.length > 0)
                expect((100 * good) / own.length).toBeGreaterThanOrEqual(plan.minSuccess)
              if (own.length > 0 && wave === member.wave - 1) {
                const settledAt = Math.max(...own.map((each) => each.since))
                expect(state.core.lookedAt - settledAt).toBeGreaterThanOrEqual(plan.waves[wave]?.soakMs ?? 0)
              }
            }
          }
        }
      }),
      runs,
    )
  })

  test('F4 after an abort nobody is told any more, also those who come late', () => {
    fc.assert(
      fc.property(everything, ({ plan, weather, people }) => {
        for (const { before, state, actions } of playFleet(plan, weather, people)) {
          if (!['aborting', 'aborted', 'superseded'].includes(state.phase)) continue
          expect(actions.some((action) => action.kind === 'assign')).toBe(false)
          expect(newlyTold(before, state)).toEqual([])
        }
      }),
      runs,
    )
  })

  test('F5 each goes back to its own stable; who was never told is never touched', () => {
    fc.assert(
      fc.property(fleetPlans, fleetWeather, fc.integer({ min: 1, max: 30 }), (plan, weather, look) => {
        const mild = { ...weather, leave: 0, loss: Math.min(weather.loss, 0.3) }
        const moments = [...playFleet({ ...plan, rollbackReached: true }, mild, [{ look, kind: 'abort' }], 150)]
        const last = moments.at(-1)
        if (last?.state.phase !== 'aborted') return
        for (const site of last.fleet.sites) {
          const member = last.state.members[site.id]
          if (site.joinsAt > last.fleet.look) continue
          if (!member?.told) expect(site.history).toHaveLength(1)
          else expect(site.told).toBe(site.history[0])
          if (member?.told) expect(member.status).toBe('returned')
        }
      }),
      runs,
    )
  })

  test('F6 an abort reaches those in flight, even if they became healthy in the same moment', () => {
    const plan = { ...simple, rollbackReached: false }
    let sent: string[] = []
    for (const { before, state, actions, fleet } of playFleet(plan, { ...still, members: 6 }, [
      { look: 1, kind: 'abort' },
    ])) {
      if (before.phase === 'progressing' && state.phase === 'aborting') {
        expect(fleet.sites.filter((site) => site.resting?.startsWith('new')).map((site) => site.id)).toEqual([
          'd0',
          'd3',
        ])
        sent = actions.flatMap((action) => (action.kind === 'return' ? [action.deployment] : []))
      }
    }
    expect(sent).toEqual(['d0', 'd3'])
  })

  test('F7 without rollbackReached those that succeeded stay', () => {
    const plan = {
      ...simple,
      rollbackReached: false,
      waves: [
        { name: 'first', groups: ['ring-0'], soakMs: 60_000 },
        { name: 'all', share: 100, soakMs: 0 },
      ],
    }
    const last = [...playFleet(plan, { ...still, members: 6 }, [{ look: 10, kind: 'abort' }])].at(-1)
    expect(last?.state.phase).toBe('aborted')
    expect(last?.fleet.sites.filter((site) => site.resting?.startsWith('new')).map((site) => site.id)).toEqual([
      'd0',
      'd3',
    ])
  })

  test('F8 a freeze or a pause holds every new start, not the way back', () => {
    fc.assert(
      fc.property(everything, ({ plan, weather, people }) => {
        for (const { before, state, seen } of playFleet(plan, weather, people)) {
          if (seen.freeze || state.phase === 'paused') expect(newlyTold(before, state)).toEqual([])
        }
      }),
      runs,
    )
    const frozen = { ...still, members: 6, freeze: { from: 3, to: 200 } }
    const last = [...playFleet(simple, frozen, [{ look: 5, kind: 'abort' }])].at(-1)
    expect(last?.state.phase).toBe('aborted')
    expect(last?.fleet.sites.every((site) => site.told === site.history[0])).toBe(true)
  })

  test('F9 the first wave that fails stops the rollout, and the second is never touched', () => {
    const last = [...playFleet(simple, { ...still, members: 9, broken: 1 })].at(-1)
    expect(last?.state).toMatchObject({ phase: 'aborted', reason: { code: 'too-many-failures' } })
    const touched = last?.fleet.sites.filter((site) => site.history.length > 1).map((site) => site.group)
    expect(new Set(touched)).toEqual(new Set(['ring-0']))
    // What it was aborted for stays to be read after all are back.
    expect(Object.values(last?.state.members ?? {}).some(({ status, reason }) => status === 'returned' && reason)).toBe(
      true,
    )
    expect(last?.fleet.sites.every((site) => site.told === site.history[0])).toBe(true)
  })

  test('F10 failures pause where the plan says so; a person resumes, and the next failure pauses again', () => {
    const plan = { ...simple, onFailure: 'pause' as const }
    const moments = [...playFleet(plan, { ...still, members: 9, broken: 2 }, [], 60, true)]
    expect(
      moments.filter(({ before, state }) => before.phase !== 'paused' && state.phase === 'paused').length,
    ).toBeGreaterThanOrEqual(2)
    expect(moments.at(-1)?.state.phase).toBe('complete')
    expect(members(moments.at(-1)?.state as FleetState).filter((each) => each.status === 'failed')).toHaveLength(2)
  })

  test('F11 a rollout whose members are all away waits; one that comes late joins, also after it completed', () => {
    const plan = { ...simple, waves: [{ name: 'all', share: 100, soakMs: 0 }] }
    let phase = ''
    for (const { state, fleet } of playFleet(plan, { ...still, members: 4 }, [], 60)) {
      for (const site of fleet.sites) site.away = fleet.look < 20 || (site.id === 'd3' && fleet.look < 40)
      if (fleet.look > 2 && fleet.look < 20)
        expect(state).toMatchObject({ phase: 'progressing', reason: { code: 'nobody-counts' } })
      if (fleet.look === 35) expect(state.phase).toBe('complete')
      if (fleet.look === 59) expect(state.members.d3?.status).toBe('succeeded')
      phase = state.phase
    }
    expect(phase).toBe('complete')
  })

  test('F12 a retry after an abort starts over; one while it runs tries the failed again', () => {
    const again = [
      ...playFleet(
        simple,
        { ...still, members: 6 },
        [
          { look: 1, kind: 'abort' },
          { look: 20, kind: 'retry' },
        ],
        80,
      ),
    ].at(-1)
    expect(again?.state.phase).toBe('complete')
    expect(again?.fleet.sites.every((site) => site.resting === `new-${site.id}`)).toBe(true)
    const plan = { ...simple, onFailure: 'pause' as const }
    let healed: FleetState | null = null
    for (const { state, fleet } of playFleet(
      plan,
      { ...still, members: 6, broken: 1 },
      [
        { look: 20, kind: 'retry' },
        { look: 20, kind: 'resume' },
      ],
      80,
    )) {
      if (fleet.look === 15) {
        expect(state.phase).toBe('paused')
        for (const site of fleet.sites) site.broken = false
      }
      healed = state
    }
    expect(healed?.phase).toBe('complete')
    expect(healed && members(healed).every((each) => each.status === 'succeeded')).toBe(true)
  })

  test('F13 a newer rollout takes over: nobody is told or sent back by the old one', () => {
    const moments = [...playFleet(simple, { ...still, members: 6, slow: 1 }, [], 5)]
    const last = moments.at(-1)
    if (!last) return expect.unreachable()
    const gone = supersedeFleet(last.state, last.now)
    const looked = advanceFleet(simple, gone, last.seen, last.now + 1000)
    expect(looked.state.phase).toBe('superseded')
    expect(looked.actions).toEqual([])
  })

  test('is pure, level-triggered and serialisable', () => {
    fc.assert(
      fc.property(everything, ({ plan, weather, people }) => {
        for (const { before, seen, state, actions, now } of playFleet(plan, weather, people, 60)) {
          expect(advanceFleet(plan, JSON.parse(JSON.stringify(before)), seen, now)).toEqual({ state, actions })
          expect(state.reason.message).not.toMatch(/NaN|undefined|Infinity/)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('without failures every fleet ends complete with everybody on the release', () => {
    fc.assert(
      fc.property(fleetPlans, fleetWeather, (plan, weather) => {
        const good = { ...weather, members: Math.max(1, weather.members), fail: 0, broken: 0, leave: 0 }
        const last = [...playFleet(plan, good, [], 400, true)].at(-1)
        expect(last?.state.phase).toBe('complete')
        expect(last?.fleet.sites.every((site) => site.resting === `new-${site.id}`)).toBe(true)
      }),
      { numRuns: 80 },
    )
  })

  test('startFleet has told nobody', () => {
    expect(startFleet({ id: 'f', plan: simple, now: 7 })).toMatchObject({ phase: 'pending', members: {}, wave: 0 })
  })
})
