import { advance } from '../machine/advance.ts'
import type { Control, Observation, RolloutState } from '../machine/types.ts'
import { corePlan, successGate } from './core-plan.ts'
import { explainFleet, fleetWords } from './explain-fleet.ts'
import { change, seeMembers } from './see-members.ts'
import { retryFailed, returnReached, startAgain } from './turn-back.ts'
import type { FleetAction, FleetObservation, FleetPlan, FleetState, Member, MemberObservation } from './types.ts'
import { assignWaves } from './waves.ts'

export interface FleetAdvanced {
  state: FleetState
  actions: readonly FleetAction[]
}

/** How the fleet stands at one look. */
export interface Standing {
  members: Record<string, Member>
  counted: readonly Member[]
  waves: ReadonlyMap<string, number>
  /** Cumulative percent of those that count, per wave. */
  shares: readonly number[]
  failures: readonly Member[]
  /** Of each wave, whether it has nobody. */
  empty: readonly boolean[]
}

/**
 * One look at a fleet rollout: the traffic machine of this package decides, with waves as its steps and the percent of
 * deployments that succeeded as what is served. Pure and level-triggered like `advance`.
 */
export function advanceFleet(
  plan: FleetPlan,
  state: FleetState,
  observation: FleetObservation,
  now: number,
): FleetAdvanced {
  const at = Math.max(now, state.core.lookedAt)
  const retries = newRetries(state, observation)
  // The one record that this look fills: what was given is left as it was, members included.
  const members = seeMembers(state, observation, at)
  if (retries.length > 0 && state.phase !== 'aborted') retryFailed(members, at)
  const standing = stand(plan, members, observation)
  const before = withRetriesSeen(state, retries)
  const advanced = advance(
    corePlan(plan, standing.shares, standing.empty),
    before,
    coreSees(plan, before, standing, observation, at),
    at,
  )
  const again = before.phase === 'aborted' && advanced.state.phase !== 'aborted'
  if (again) startAgain(members, at)
  const turning = advanced.state.phase === 'aborting' || advanced.state.phase === 'aborted'
  if (turning) returnReached(plan, state.members, members, at)
  const core = stillAway(before, advanced.state, members, observation)
  const frozen = observation.freeze !== null && (observation.freeze.until === null || at < observation.freeze.until)
  if (!frozen && !again) startMembers(plan, core, standing, observation, at)
  const actions = act(core, members, observation, frozen)
  if (frozen && observation.freeze?.until != null) actions.push({ kind: 'wake', at: observation.freeze.until })
  const wake = soakEnd(plan, core)
  if (wake !== null && wake > at) actions.push({ kind: 'wake', at: wake })
  const reason = explainFleet(plan, core, standing, frozen ? observation.freeze : null)
  const decisions = [...state.decisions, ...core.decisions.map((each) => fleetWords(plan, each))].slice(-200)
  return {
    state: {
      version: 1,
      phase: core.phase,
      wave: core.phase === 'promoting' || core.phase === 'complete' ? plan.waves.length : Math.max(0, core.step),
      members,
      reason: { ...reason, since: reason.code === state.reason.code ? state.reason.since : at },
      decisions,
      core: { ...core, decisions: [] },
    },
    actions,
  }
}

/**
 * Where nobody had succeeded yet, the machine sees nothing served and has ended its abort in the same look; deployments that
 * were on their way still have to come back, and until those that can be reached have, it is `aborting`.
 */
function stillAway(
  before: RolloutState,
  core: RolloutState,
  members: Readonly<Record<string, Member>>,
  observation: FleetObservation,
): RolloutState {
  const begins = core.phase === 'aborted' && before.phase !== 'aborted' && before.phase !== 'aborting'
  if (!begins || comingBack(members, observation) === 0) return core
  return { ...core, phase: 'aborting', decisions: core.decisions.filter((each) => each.code !== 'aborted') }
}

/** How many return that can be reached: one that is offline comes back when it can, and holds nothing up. */
function comingBack(members: Readonly<Record<string, Member>>, observation: FleetObservation): number {
  const returning = new Set<string>()
  for (const each of Object.values(members)) if (each.told && each.status === 'returning') returning.add(each.id)
  if (returning.size > 0) for (const each of observation.members) if (each.excluded) returning.delete(each.id)
  return returning.size
}

function newRetries(state: FleetState, observation: FleetObservation): Control[] {
  return observation.controls.filter((each) => each.kind === 'retry' && !state.core.seenControls.includes(each.id))
}

/** A retry of failed members while it runs is ours; one after an abort is the machine's. */
function withRetriesSeen(state: FleetState, retries: readonly Control[]): RolloutState {
  if (retries.length === 0 || state.phase === 'aborted') return state.core
  return { ...state.core, seenControls: [...state.core.seenControls, ...retries.map((each) => each.id)] }
}

function stand(plan: FleetPlan, members: Record<string, Member>, observation: FleetObservation): Standing {
  const inGroups = plan.waves.some((wave) => wave.groups)
  const groups = new Map(inGroups ? observation.members.map((each) => [each.id, each.group]) : [])
  const counting = Object.values(members).filter((each) => each.status !== 'excluded')
  const waves = assignWaves(plan, counting, groups)
  const counted = counting.map((each) => {
    const wave = waves.get(each.id) ?? each.wave
    if (each.told || each.wave === wave) return each
    const moved = { ...each, wave }
    members[each.id] = moved
    return moved
  })
  const sizes = new Array<number>(plan.waves.length + 1).fill(0)
  for (const wave of waves.values()) sizes[wave] = (sizes[wave] ?? 0) + 1
  let sum = 0
  const shares = plan.waves.map((_, index) => {
    sum += sizes[index] ?? 0
    return counted.length === 0 ? 100 : (100 * sum) / counted.length
  })
  const failures = counted.filter((each) => each.told && each.status === 'failed')
  return { members, counted, waves, shares, failures, empty: plan.waves.map((_, index) => sizes[index] === 0) }
}

/** The fleet as the traffic machine sees it. */
function coreSees(
  plan: FleetPlan,
  core: RolloutState,
  standing: Standing,
  observation: FleetObservation,
  now: number,
): Observation {
  const one = { desired: 1, available: 1, total: 1 }
  const somebody = standing.counted.length > 0
  const tooMany = standing.failures.length >= Math.max(1, plan.maxFailures)
  const failed = failuresInWords(standing.failures, observation)
  const failing =
    tooMany && plan.onFailure === 'abort' ? { failing: { code: 'too-many-failures', message: failed } } : {}
  const short = shortWave(plan, core, standing)
  const pauses: Control[] = []
  const stop = (id: string, reason: string) => pauses.push({ id, kind: 'pause', by: 'landfall', reason, at: now })
  if (plan.onFailure === 'pause' && core.phase !== 'complete') {
    if (tooMany) stop(`failures-${standing.failures.length}-${core.startedAt}`, failed)
    if (short !== null)
      stop(`short-${short}-${core.startedAt}`, `Fewer than ${plan.minSuccess}% of wave ${short + 1} succeeded`)
  }
  return {
    stable: one,
    candidate: { ...one, available: somebody || core.phase === 'aborting' ? 1 : 0, ...failing },
    served: served(core, standing, observation),
    desired: 1,
    gates: gateAnswers(plan, core, standing, short, observation),
    controls: [...observation.controls, ...pauses],
    promoted: true,
  }
}

const settled = (member: Member) => member.status === 'succeeded' || member.status === 'failed'

function failuresInWords(failures: readonly Member[], observation: FleetObservation): string {
  const first = failures.slice(0, 5)
  const nameOf = (id: string) => observation.members.find((each) => each.id === id)?.name ?? id
  const named = first.map((each) => `${nameOf(each.id)}${each.reason ? ` (${each.reason.message})` : ''}`)
  const more = failures.length > named.length ? ` and ${failures.length - named.length} more` : ''
  return `${failures.length} ${failures.length === 1 ? 'deployment' : 'deployments'} failed: ${named.join(', ')}${more}`
}

/** Percent as served: a wave counts as reached when each of its deployments has settled; one that joins late does not undo it. */
function served(core: RolloutState, standing: Standing, observation: FleetObservation): number {
  const all = standing.counted.length
  if (['aborting', 'aborted', 'superseded'].includes(core.phase)) {
    const away = comingBack(standing.members, observation)
    return core.phase === 'aborting' && all > 0 ? (100 * away) / all : 0
  }
  if (core.phase === 'complete') return 100
  if (core.step < 0 && core.phase !== 'promoting') return 0
  const last = core.phase === 'promoting' || core.pausedFrom === 'promoting'
  const goal = last ? 100 : (standing.shares[core.step] ?? 100)
  const scope = last
    ? standing.counted
    : standing.counted.filter((each) => (standing.waves.get(each.id) ?? 0) <= core.step)
  if (core.reachedAt !== null || (all > 0 && scope.every(settled))) return goal
  const succeeded = scope.filter((each) => each.status === 'succeeded').length
  return Math.max(0, Math.min(goal - 1, all === 0 ? 0 : (100 * succeeded) / all))
}

/** The current wave, if all of it has settled and too few succeeded. */
function shortWave(plan: FleetPlan, core: RolloutState, standing: Standing): number | null {
  const wave = standing.counted.filter((each) => standing.waves.get(each.id) === core.step)
  if (wave.length === 0 || !wave.every(settled)) return null
  const succeeded = wave.filter((each) => each.status === 'succeeded').length
  return (100 * succeeded) / wave.length < plan.minSuccess ? core.step : null
}

function gateAnswers(
  plan: FleetPlan,
  core: RolloutState,
  standing: Standing,
  short: number | null,
  observation: FleetObservation,
): Observation['gates'] {
  if (core.step < 0) return {}
  const wave = standing.counted.filter((each) => standing.waves.get(each.id) === core.step)
  const accepted =
    short !== null && core.phase !== 'paused' && core.seenControls.includes(`short-${short}-${core.startedAt}`)
  const missing = wave.length === 0 ? absentees(plan, core.step, standing, observation) : 0
  const status =
    missing > 0 ? 'wait' : short === null || accepted ? 'pass' : plan.onFailure === 'abort' ? 'fail' : 'wait'
  const message =
    missing > 0 ? 'none of its deployments can be reached now' : `fewer than ${plan.minSuccess}% of the wave succeeded`
  const skipped = core.passed.skip >= core.step
  return { [successGate(core.step)]: { status: skipped && status !== 'fail' ? 'pass' : status, message } }
}

/** Whom no wait of the rollout brings: a person has pinned it, or carries its releases to it. */
const stayAway = ['pinned', 'by-bundle']

/** Members of a group wave that would come, were they not offline or outside their window: going on without them would try nothing. */
function absentees(plan: FleetPlan, wave: number, standing: Standing, observation: FleetObservation): number {
  const groups = plan.waves[wave]?.groups
  if (!groups) return 0
  return observation.members.filter((each) => {
    const comes = !each.takenOver && !stayAway.includes(each.excluded?.code ?? '')
    const away = comes && standing.members[each.id]?.status === 'excluded'
    return away && each.group !== null && groups.includes(each.group)
  }).length
}

/** Tells deployments of the waves that have begun, at most `maxInFlight` at once. */
function startMembers(
  plan: FleetPlan,
  core: RolloutState,
  standing: Standing,
  observation: FleetObservation,
  now: number,
): void {
  if (!['progressing', 'promoting', 'complete'].includes(core.phase)) return
  const limit = core.phase === 'progressing' ? core.step : Number.MAX_SAFE_INTEGER
  const { members, waves, counted } = standing
  const room = Math.max(1, plan.maxInFlight) - counted.filter((each) => each.status === 'in-flight').length
  if (room <= 0) return
  const held = new Set(observation.members.filter((each) => each.goingBack?.unsure).map((each) => each.id))
  const waiting = counted.filter(
    (each) => each.status === 'waiting' && (waves.get(each.id) ?? each.wave) <= limit && !held.has(each.id),
  )
  // Who comes first is a question only where not all have room.
  if (waiting.length > room) waiting.sort((a, b) => a.wave - b.wave || (a.id < b.id ? -1 : 1))
  const chosen = new Map(waiting.slice(0, room).map((member) => [member.id, member]))
  if (chosen.size === 0) return
  for (const seen of observation.members) {
    const member = chosen.get(seen.id)
    if (!member) continue
    chosen.delete(seen.id)
    start(member, ownStable(member, seen))
  }
  // Those that nobody saw.
  for (const member of chosen.values()) start(member, member.told ? {} : { from: null })

  function start(member: Member, own: { from?: string | null; unsure?: boolean }): void {
    const wave = waves.get(member.id) ?? member.wave
    members[member.id] = { ...change(member, 'in-flight', now), told: true, ...own, wave }
  }
}

/** Where an abort would send a deployment that is told now. */
function ownStable(member: Member, seen: MemberObservation): { from?: string | null; unsure?: boolean } {
  if (member.told) return {}
  if (seen.goingBack) return { from: seen.goingBack.to }
  const ended = seen.outcome === 'failed' || seen.outcome === 'rolled-back'
  const known = ended || (seen.told === null ? !seen.unanswered : seen.told === seen.resting)
  return { from: seen.resting, ...(known ? {} : { unsure: true }) }
}

/** What is asked for until it is seen: targets of those in flight, and the way back of those that return. */
function act(
  core: RolloutState,
  members: Record<string, Member>,
  observation: FleetObservation,
  frozen: boolean,
): FleetAction[] {
  const actions: FleetAction[] = []
  for (const seen of observation.members) {
    const member = members[seen.id]
    if (!member) continue
    const back = member.unsure ? null : member.from
    if (member.status === 'returning' && seen.told !== back)
      actions.push({ kind: 'return', deployment: member.id, to: back })
    const told = member.status === 'in-flight' && (seen.told !== member.target || member.again === true)
    // Also one that was told before and comes back, such as from a newer rollout that was aborted: a freeze holds it.
    if (told && !frozen && core.phase !== 'superseded')
      actions.push({ kind: 'assign', deployment: member.id, target: member.target, wave: member.wave })
  }
  return actions
}

function soakEnd(plan: FleetPlan, core: RolloutState): number | null {
  const soak = plan.waves[core.step]?.soakMs
  return core.phase === 'progressing' && core.healthySince !== null && soak !== undefined
    ? core.healthySince + soak
    : null
}
