import { advance } from '../src/machine/advance.ts'
import { start } from '../src/machine/start.ts'
import type { Action, Observation, Plan, RolloutState } from '../src/machine/types.ts'
import type { Planned } from './arbitraries.ts'
import { type Weather, World } from './world.ts'

export interface Moment {
  before: RolloutState
  seen: Observation
  state: RolloutState
  actions: readonly Action[]
  world: World
  now: number
}

export interface Play {
  plan: Plan
  desired: number
  weather: Weather
  people?: readonly Planned[]
  looks?: number
  first?: boolean
  /** People answer every open gate with pass, and resume every pause, at once. */
  willing?: boolean
}

/** Plays a rollout and shows every moment of it: what was seen, decided, and what the world is then. */
export function* play({
  plan,
  desired,
  weather,
  people = [],
  looks = 120,
  first = false,
  willing = false,
}: Play): Generator<Moment> {
  const world = new World(plan, desired, weather, first)
  let state = start({ id: 'r', stable: first ? null : 'v1', candidate: 'v2', plan, now: world.now })
  for (let look = 0; look < looks; look++) {
    for (const [index, act] of people.entries()) {
      if (act.look !== look) continue
      if (act.kind !== 'answer') world.controls.push({ id: `c${index}`, kind: act.kind, by: 'somebody', at: world.now })
      else
        for (const id of Object.keys(world.gates))
          if (world.gates[id]?.status === 'wait') world.gates[id] = { status: act.answer }
    }
    if (willing) {
      for (const id of Object.keys(world.gates)) world.gates[id] = { status: 'pass' }
      if (state.phase === 'paused')
        world.controls.push({ id: `w${look}`, kind: 'resume', by: 'somebody', at: world.now })
    }
    const seen = world.observe()
    const now = world.now
    const before = state
    const advanced = advance(plan, before, seen, now)
    state = advanced.state
    yield { before, seen, state, actions: advanced.actions, world, now }
    world.pass(advanced.actions)
  }
}

/** The share that is asked for in these actions, if any. */
export const routed = (actions: readonly Action[]): number | undefined =>
  actions.find((action) => action.kind === 'route')?.share
