import { advance } from '../machine/advance.ts'
import type { Control, Observation, RolloutState } from '../machine/types.ts'
import { corePlan, successGate } from './core-plan.ts'
import { explainFleet, fleetWords } from './explain-fleet.ts'
import { change, seeMembers } from './see-members.ts'
import { retryFailed, returnReached, startAgain } from './turn-back.ts'
import type { FleetAction, FleetObservation, FleetPlan, FleetState, Member } from './types.ts'
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
  let members = seeMembers(state, observation, at)
  if (retries.length > 0 && state.phase !== 'aborted') members = retryFailed(members, at)
  const standing = stand(plan, members, observation)
  const before = withRetriesSeen(state, retries)
  const advanced = advance(
    corePlan(plan, standing.shares, emptyWaves(plan, standing)),
    before,
    coreSees(plan, before, standing, observation, at),
    at,
  )
  const again = before.phase === 'aborted' && advanced.state.phase !== 'aborted'
  if (again) members = startAgain(members, at)
  const turning = advanced.state.phase === 'aborting' || advanced.state.phase === 'aborted'
  if (turning) members = returnReached(plan, state.members, members, at)
  const core = stillAway(before, advanced.state, members, observation)
  const frozen = observation.freeze !== null && (observation.freeze.until === null || at < observation.freeze.until)
  const started = startMembers(plan, core, { ...standing, members }, observation, frozen || again, at)
  const actions = act(core, started, observation)
  if (frozen && observation.freeze?.until != null) actions.push({ kind: 'wake', at: observation.freeze.until })
  const wake = soakEnd(plan, core)
  if (wake !== null && wake > at) actions.push({ kind: 'wake', at: wake })
  const reason = explainFleet(plan, core, { ...standing, members: started }, frozen ? observation.freeze : null)
  const decisions = [...state.decisions, ...core.decisions.map((each) => fleetWords(plan, each))].slice(-200)
  return {
    state: {
      version: 1,
      phase: core.phase,
      wave: core.phase === 'promoting' || core.phase === 'complete' ? plan.waves.length : Math.max(0, core.step),
      members: started,
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
  if (!begins || comingBack(Object.values(members), observation) === 0) return core
  return { ...core, phase: 'aborting', decisions: core.decisions.filter((each) => each.code !== 'aborted') }
}

/** How many return that can be reached: one that is offline comes back when it can, and holds nothing up. */
function comingBack(members: readonly Member[], observation: FleetObservation): number {
  const unreachable = new Set(observation.members.filter((each) => each.excluded).map((each) => each.id))
  return members.filter((each) => each.told && each.status === 'returning' && !unreachable.has(each.id)).length
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
  const groups = new Map(observation.members.map((each) => [each.id, each.group]))
  const counted = Object.values(members).filter((each) => each.status !== 'excluded')
  const waves = assignWaves(
    plan,
    counted.map((member) => ({ member, group: groups.get(member.id) ?? null })),
  )
  const shares = plan.waves.map((_, index) =>
    counted.length === 0
      ? 100
      : (100 * counted.filter((each) => (waves.get(each.id) ?? 0) <= index).length) / counted.length,
  )
  for (const each of Object.values(members)) {
    const wave = waves.get(each.id)
    if (wave !== undefined && !each.told) members[each.id] = { ...each, wave }
  }
  const failures = counted.filter((each) => each.told && each.status === 'failed')
  return { members, counted: counted.map((each) => members[each.id] ?? each), waves, shares, failures }
}

function emptyWaves(plan: FleetPlan, standing: Standing): boolean[] {
  return plan.waves.map((_, index) => !standing.counted.some((each) => standing.waves.get(each.id) === index))
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
  const names = new Map(observation.members.map((each) => [each.id, each.name ?? each.id]))
  const named = failures
    .slice(0, 5)
    .map((each) => `${names.get(each.id) ?? each.id}${each.reason ? ` (${each.reason.message})` : ''}`)
  const more = failures.length > named.length ? ` and ${failures.length - named.length} more` : ''
  return `${failures.length} ${failures.length === 1 ? 'deployment' : 'deployments'} failed: ${named.join(', ')}${more}`
}

/** Percent as served: a wave counts as reached when each of its deployments has settled; one that joins late does not undo it. */
function served(core: RolloutState, standing: Standing, observation: FleetObservation): number {
  const all = standing.counted.length
  if (['aborting', 'aborted', 'superseded'].includes(core.phase)) {
    const away = comingBack(standing.counted, observation)
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

/**
 * Tells deployments of the waves that have begun, at most `maxInFlight` at once. `held`: a freeze, or a retry at this very
 * look, after which everybody has to be seen anew.
 */
function startMembers(
  plan: FleetPlan,
  core: RolloutState,
  standing: Standing,
  observation: FleetObservation,
  held: boolean,
  now: number,
): Record<string, Member> {
  if (held || !['progressing', 'promoting', 'complete'].includes(core.phase)) return standing.members
  const limit = core.phase === 'progressing' ? core.step : Number.MAX_SAFE_INTEGER
  const members = { ...standing.members }
  let flying = Object.values(members).filter((each) => each.status === 'in-flight').length
  const waiting = Object.values(members)
    .filter((each) => each.status === 'waiting' && (standing.waves.get(each.id) ?? each.wave) <= limit)
    .sort((a, b) => a.wave - b.wave || (a.id < b.id ? -1 : 1))
  const stable = new Map(observation.members.map((each) => [each.id, each.goingBackTo ?? each.resting]))
  for (const member of waiting) {
    if (flying >= Math.max(1, plan.maxInFlight)) break
    const from = member.told ? member.from : (stable.get(member.id) ?? null)
    members[member.id] = {
      ...change(member, 'in-flight', now),
      told: true,
      from,
      wave: standing.waves.get(member.id) ?? member.wave,
    }
    flying += 1
  }
  return members
}

/** What is asked for until it is seen: targets of those in flight, and the way back of those that return. */
function act(core: RolloutState, members: Record<string, Member>, observation: FleetObservation): FleetAction[] {
  const actions: FleetAction[] = []
  for (const seen of observation.members) {
    const member = members[seen.id]
    if (!member) continue
    if (member.status === 'returning' && seen.told !== member.from)
      actions.push({ kind: 'return', deployment: member.id, to: member.from })
    const told = member.status === 'in-flight' && (seen.told !== member.target || member.again === true)
    if (told && core.phase !== 'superseded')
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
