import fc from 'fast-check'
import { advanceFleet } from '../src/fleet/advance-fleet.ts'
import { startFleet } from '../src/fleet/start-fleet.ts'
import type { FleetAction, FleetObservation, FleetPlan, FleetState, MemberObservation } from '../src/fleet/types.ts'
import type { Control } from '../src/machine/types.ts'
import { type Chance, chance } from './random.ts'

export interface FleetWeather {
  seed: number
  members: number
  /** Chances per look and deployment. */
  loss: number
  slow: number
  fail: number
  leave: number
  /** Deployments that fail every time. */
  broken: number
  /** Looks between which nobody may be told. */
  freeze: { from: number; to: number } | null
  late: number
}

interface Site extends MemberObservation {
  history: (string | null)[]
  away: boolean
  broken: boolean
  joinsAt: number
}

const groups = ['ring-0', 'ring-1', null]

/** Deployments in memory, each with its own old version; some leave and come back, some come late, some always fail. */
export class Fleet {
  readonly random: Chance
  readonly sites: Site[]
  readonly controls: Control[] = []
  readonly weather: FleetWeather
  now = 1_000_000
  look = 0

  constructor(weather: FleetWeather) {
    this.weather = weather
    this.random = chance(weather.seed)
    this.sites = Array.from({ length: weather.members }, (_, index) => {
      const old = index % 7 === 6 ? null : `old-${index % 3}`
      return {
        id: `d${index}`,
        group: groups[index % 3] ?? null,
        resting: old,
        told: old,
        outcome: 'healthy' as const,
        history: [old],
        away: this.random.uniform() < weather.leave,
        broken: index < weather.broken,
        joinsAt: this.random.uniform() < weather.late ? 10 + index : 0,
      }
    })
  }

  observe(): FleetObservation {
    const here = this.sites.filter((site) => site.joinsAt <= this.look)
    const { freeze } = this.weather
    const frozen = freeze !== null && this.look >= freeze.from && this.look < freeze.to
    return {
      targets: Object.fromEntries(here.map((site) => [site.id, `new-${site.id}`])),
      members: here.map(({ id, group, resting, told, outcome, away }) => ({
        id,
        group,
        resting,
        told,
        outcome,
        ...(away ? { excluded: { code: 'offline', message: 'not seen for a while' } } : {}),
      })),
      freeze: frozen ? { until: null, reason: 'holidays' } : null,
      controls: [...this.controls],
    }
  }

  pass(actions: readonly FleetAction[]): void {
    for (const action of actions) {
      if (action.kind === 'wake' || this.random.uniform() < this.weather.loss) continue
      const site = this.sites.find((each) => each.id === action.deployment)
      if (!site) continue
      const target = action.kind === 'assign' ? action.target : action.to
      site.told = target
      site.outcome = 'progressing'
      site.history.push(target)
    }
    this.look += 1
    this.now += 1000
    for (const site of this.sites) {
      if (this.random.uniform() < this.weather.leave) site.away = !site.away
      if (site.away || site.outcome !== 'progressing' || this.random.uniform() < this.weather.slow) continue
      const bad = site.told === `new-${site.id}` && (site.broken || this.random.uniform() < this.weather.fail)
      site.outcome = bad ? 'rolled-back' : 'healthy'
      if (!bad) site.resting = site.told
    }
  }
}

export interface FleetMoment {
  before: FleetState
  seen: FleetObservation
  state: FleetState
  actions: readonly FleetAction[]
  fleet: Fleet
  now: number
}

export type FleetAct = { look: number; kind: Control['kind'] }

export function* playFleet(
  plan: FleetPlan,
  weather: FleetWeather,
  people: readonly FleetAct[] = [],
  total = 120,
  willing = false,
): Generator<FleetMoment> {
  const fleet = new Fleet(weather)
  let state = startFleet({ id: 'f', plan, now: fleet.now })
  for (let look = 0; look < total; look++) {
    for (const [index, act] of people.entries())
      if (act.look === look) fleet.controls.push({ id: `c${index}`, kind: act.kind, by: 'somebody', at: fleet.now })
    if (willing && state.phase === 'paused')
      fleet.controls.push({ id: `w${look}`, kind: 'resume', by: 'somebody', at: fleet.now })
    const seen = fleet.observe()
    const before = state
    const now = fleet.now
    const advanced = advanceFleet(plan, before, seen, now)
    state = advanced.state
    yield { before, seen, state, actions: advanced.actions, fleet, now }
    fleet.pass(advanced.actions)
  }
}

const wave = (name: string, share: number) =>
  fc.record({
    name: fc.constant(name),
    share: fc.constant(share),
    soakMs: fc.constantFrom(0, 3000, 8000),
    pause: fc.boolean(),
  })
const ring = (name: string) =>
  fc.record({
    name: fc.constant(name),
    groups: fc.constant([name]),
    soakMs: fc.constantFrom(0, 3000),
    pause: fc.constant(false),
  })

export const fleetPlans: fc.Arbitrary<FleetPlan> = fc.record({
  waves: fc.oneof(
    fc.tuple(wave('first', 20), wave('half', 50), wave('all', 100)),
    fc.tuple(ring('ring-0'), ring('ring-1')),
    fc.tuple(ring('ring-0'), wave('all', 100)),
    fc.tuple(wave('one', 5)),
  ),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
  minSuccess: fc.constantFrom(100, 80, 50, 0),
  maxFailures: fc.integer({ min: 1, max: 4 }),
  onFailure: fc.constantFrom('pause' as const, 'abort' as const),
  rollbackReached: fc.boolean(),
})

export const fleetWeather: fc.Arbitrary<FleetWeather> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  members: fc.integer({ min: 0, max: 20 }),
  loss: fc.constantFrom(0, 0.3),
  slow: fc.constantFrom(0, 0.5, 0.8),
  fail: fc.constantFrom(0, 0.05, 0.3),
  leave: fc.constantFrom(0, 0, 0.03, 0.2),
  broken: fc.constantFrom(0, 0, 1, 3),
  freeze: fc.option(fc.record({ from: fc.integer({ min: 0, max: 20 }), to: fc.integer({ min: 20, max: 40 }) }), {
    nil: null,
  }),
  late: fc.constantFrom(0, 0.3),
})

export const fleetPeople: fc.Arbitrary<FleetAct[]> = fc.array(
  fc.record({
    look: fc.integer({ min: 0, max: 80 }),
    kind: fc.constantFrom('pause', 'resume', 'resume', 'promote', 'promote-full', 'abort', 'retry'),
  }),
  { maxLength: 8 },
)
