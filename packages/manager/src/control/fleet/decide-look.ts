import type { Target } from '@landfall/engine'
import { advanceFleet, type Decision, type FleetAction, type FleetState, startFleet } from '@landfall/rollout'
import type { StoredPlan } from '../../store/tables/releases.ts'
import { type Clocks, observeFleet, type SeenFleet } from './observe-fleet.ts'
import { planOf } from './plan-of.ts'
import type { FleetReading } from './read-fleet.ts'
import type { Order } from './tell-many.ts'

/** The longest time between two looks at a rollout that moves, and at one that is over but still has somebody to bring along. */
export const movingMs = 5_000
const lingeringMs = 15_000

const finished = ['complete', 'aborted', 'superseded']

/** A rollout's row, as far as a look reads it. */
export interface LookedAt {
  id: string
  release: string
  version: string
  phase: string
  plan: StoredPlan
  state: FleetState | null
}

/** What one look came to: the writer brings it into the store, all of it or nothing. */
export interface Look {
  state: FleetState
  over: boolean
  /** When to look again at the latest, in milliseconds; null: only when somebody asks. */
  wakeAt: number | null
  /** Who is told the rollout's release. */
  assign: readonly Order[]
  /** Who is sent back, and to which target: null is nothing. */
  back: readonly { deployment: string; to: string | null }[]
  /** What the machine decided in this look, for the project's chain. */
  decided: readonly Decision[]
  /** Whether a page would show anything else than before. */
  shown: boolean
}

/** One look at a rollout: what was read goes in, all that is to be written comes out. Pure. */
export function decideLook(rollout: LookedAt, reading: FleetReading, clock: Clocks): Look {
  const { now } = clock
  const plan = planOf(rollout.plan)
  const before = rollout.state ?? startFleet({ id: rollout.id, plan, now })
  const seen = observeFleet(rollout, reading, clock)
  const { state, actions } = advanceFleet(plan, before, seen.observation, now)
  const decided = newDecisions(before, state)
  return {
    state,
    over: finished.includes(state.phase),
    wakeAt: wakeAt(before, state, actions, now),
    assign: actions.flatMap((action) => (action.kind === 'assign' ? assignment(rollout, reading, seen, action) : [])),
    back: actions.flatMap((action) =>
      action.kind === 'return' ? [{ deployment: action.deployment, to: action.to }] : [],
    ),
    decided,
    shown: decided.length > 0 || looksDifferent(before, state),
  }
}

/** The orders of those that are sent back, with their targets as they were told before; one that is not known is left out. */
export function returnOrders(rollout: { id: string }, back: Look['back'], known: ReadonlyMap<string, Target>): Order[] {
  const told = back.flatMap(({ deployment, to }): Order[] => {
    const target = to === null ? undefined : known.get(`${deployment} ${to}`)
    const message = `Sent back to its own stable: rollout ${rollout.id} was aborted`
    return target ? [{ deployment, target, message, retry: false }] : []
  })
  const toNothing = back.flatMap(({ deployment, to }): Order[] => {
    const message = `Rollout ${rollout.id} was aborted: goes on with what it runs, if anything`
    return to === null ? [{ deployment, target: null, message, retry: false }] : []
  })
  return [...told, ...toNothing]
}

function assignment(
  rollout: LookedAt,
  { prepared }: FleetReading,
  seen: SeenFleet,
  action: Extract<FleetAction, { kind: 'assign' }>,
): Order[] {
  const one = prepared.get(action.deployment)
  const target = one && 'target' in one ? one.target : null
  if (target?.digest !== action.target) return []
  const wave = rollout.plan.waves[action.wave]?.name ?? 'the rest'
  const message = `Told to run ${rollout.version} by rollout ${rollout.id}, wave ${action.wave + 1} (${wave})`
  return [{ deployment: action.deployment, target, message, retry: seen.rejected.has(action.deployment) }]
}

function wakeAt(before: FleetState, state: FleetState, actions: readonly FleetAction[], now: number): number | null {
  const asked = actions.flatMap((action) => (action.kind === 'wake' ? [action.at] : []))
  const over = finished.includes(state.phase)
  const pending =
    over && Object.values(state.members).some(({ status }) => ['in-flight', 'waiting', 'returning'].includes(status))
  // The machine takes one decision a look: after one, the next may be due already.
  if (moved(before, state)) asked.push(now)
  if (!over) asked.push(now + movingMs)
  else if (pending) asked.push(now + lingeringMs)
  return asked.length === 0 ? null : Math.max(now + 50, Math.min(...asked))
}

function moved(before: FleetState, after: FleetState): boolean {
  const of = ({ phase, core }: FleetState) => [phase, core.phase, core.step, core.reachedAt, core.healthySince].join()
  return of(before) !== of(after)
}

function newDecisions(before: FleetState, after: FleetState): Decision[] {
  const keyOf = (decision: Decision) => `${decision.at} ${decision.code} ${decision.step} ${decision.message}`
  const known = new Set(before.decisions.map(keyOf))
  return after.decisions.filter((decision) => !known.has(keyOf(decision)))
}

/** Whether a page shows anything else: who stands where, and why. */
function looksDifferent(before: FleetState, after: FleetState): boolean {
  const of = ({ phase, wave, reason }: FleetState) => [phase, wave, reason.code, reason.message].join('\n')
  if (of(before) !== of(after)) return true
  // Nobody ceases to be a member.
  return Object.values(after.members).some((member) => {
    const was = before.members[member.id]
    return was !== member && (was?.wave !== member.wave || was.status !== member.status)
  })
}
