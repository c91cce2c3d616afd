import { describe, expect, test } from 'vitest'
import { advanceFleet } from '../src/fleet/advance-fleet.ts'
import { startFleet } from '../src/fleet/start-fleet.ts'
import type { FleetPlan, FleetState, MemberObservation } from '../src/fleet/types.ts'

const plan: FleetPlan = {
  waves: [{ name: 'all', share: 100, soakMs: 0 }],
  ...{ maxInFlight: 10, minSuccess: 100, maxFailures: 1, onFailure: 'abort', rollbackReached: true },
}
const abort = { id: 'abort', kind: 'abort', by: 'ada', at: 0 } as const

/** Looks at one deployment as often as there are sightings; an abort is asked from the sighting of that number on. */
function looks(sightings: Partial<MemberObservation>[], abortAt = sightings.length) {
  let state: FleetState = startFleet({ id: 'r', plan, now: 1_000 })
  const told: (string | null)[][] = []
  for (const [index, sighting] of sightings.entries()) {
    const seen = { id: 'd', group: null, resting: null, told: null, outcome: 'progressing' as const, ...sighting }
    const controls = index >= abortAt ? [abort] : []
    const looked = advanceFleet(
      plan,
      state,
      { targets: { d: 'new' }, members: [seen], freeze: null, controls },
      2_000 + index * 1_000,
    )
    state = looked.state
    told.push(
      looked.actions.flatMap((each) =>
        each.kind === 'assign' ? [each.target] : each.kind === 'return' ? [each.to] : [],
      ),
    )
  }
  return { told, member: state.members.d }
}

const onItsWay = { told: 'old', unanswered: true }

describe('the own stable of a deployment whose report is on its way', () => {
  test('is what its first answer says it rests on', () => {
    const { told, member } = looks([
      onItsWay,
      onItsWay,
      { told: 'new', unanswered: true },
      { told: 'new', resting: 'old' },
    ])
    expect(told.flat()).toEqual(['new', 'new'])
    expect(member).toMatchObject({ from: 'old', status: 'in-flight' })
    expect(member?.unsure).toBeUndefined()
  })

  test('is what it rested on before, where the answer comes after it was promoted', () => {
    const answered = { told: 'new', resting: 'new', restedBefore: 'old', outcome: 'healthy' as const }
    expect(looks([onItsWay, onItsWay, answered]).member).toMatchObject({ from: 'old', status: 'succeeded' })
  })

  // Found by the simulation, seed 80294: an abort sent it back to the aborted release, with its config of before.
  test('is what it rested on before, where it got to the release with a config that was changed since', () => {
    const answered = { told: 'new', resting: 'new, other config', restsOnOurs: true, restedBefore: 'old' }
    expect(looks([onItsWay, onItsWay, answered]).member).toMatchObject({ from: 'old', status: 'in-flight' })
  })

  test('is the target itself, where it rested there and is called back from another that it had not begun', () => {
    const waits = { told: 'other', resting: 'new', restedBefore: 'long ago' }
    const answered = { ...waits, told: 'new' }
    const { told, member } = looks([waits, waits, answered, answered], 2)
    expect(told).toEqual([['new'], ['new'], [], []])
    expect(member).toMatchObject({ from: 'new', status: 'returned' })
  })

  test('is the other that was under way, where it got there first', () => {
    const waits = { told: 'other', resting: 'new', restedBefore: 'long ago' }
    const got = { told: 'new', resting: 'other', restedBefore: 'new' }
    expect(looks([waits, waits, got]).member).toMatchObject({ from: 'other', status: 'in-flight' })
  })

  test('is waited for by an abort, which asks it to go on with what it has', () => {
    const { told, member } = looks(
      [
        onItsWay,
        onItsWay,
        { told: 'new', unanswered: true },
        { told: null, unanswered: true },
        { told: null, resting: 'old' },
        { told: 'old', resting: 'old' },
      ],
      2,
    )
    expect(told.slice(2)).toEqual([[null], [], ['old'], []])
    expect(member).toMatchObject({ from: 'old', status: 'returned' })
  })

  test('is nothing where it answers that it runs nothing', () => {
    const { told, member } = looks([onItsWay, onItsWay, { told: 'new', unanswered: true }, { told: null }], 2)
    expect(told.slice(2)).toEqual([[null], []])
    expect(member).toMatchObject({ from: null, status: 'returned' })
  })
})

describe('a deployment that an aborted rollout has still to bring back', () => {
  const promoted = { told: 'aborted', resting: 'aborted', outcome: 'healthy' as const }

  test('has its way back for its own stable, not the release that was aborted', () => {
    const taken = { ...promoted, goingBack: { to: 'old', unsure: false } }
    expect(looks([taken, taken]).member).toMatchObject({ from: 'old', status: 'in-flight' })
  })

  test('is not told before it is known where that leads', () => {
    const unknown = { ...promoted, goingBack: { to: null, unsure: true } }
    expect(looks([unknown, unknown, unknown])).toMatchObject({ told: [[], [], []], member: { status: 'waiting' } })
  })
})

test('a freeze holds a member that was told before and is to be told again, not its way back', () => {
  const freeze = { until: null, reason: 'holidays' }
  const there = { id: 'd', group: null, resting: 'old', told: 'old', outcome: 'healthy' as const }
  const seen = { targets: { d: 'new' }, members: [there], freeze: null, controls: [] }
  const first = advanceFleet(plan, startFleet({ id: 'r', plan, now: 1_000 }), seen, 2_000)
  const told = advanceFleet(plan, first.state, seen, 3_000)
  expect(told.actions.filter(({ kind }) => kind === 'assign')).toHaveLength(1)
  const frozen = advanceFleet(plan, told.state, { ...seen, freeze }, 4_000)
  expect(frozen.state.members.d?.status).toBe('in-flight')
  expect(frozen.actions).toEqual([])
  const back = { ...seen, freeze, members: [{ ...there, told: 'new' }], controls: [abort] }
  expect(advanceFleet(plan, told.state, back, 4_000).actions).toContainEqual({
    kind: 'return',
    deployment: 'd',
    to: 'old',
  })
})
