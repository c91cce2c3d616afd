import { words } from '../plan/duration.ts'
import { beginAbort, canReturn, driveAbort, driveAborted, round } from './abort.ts'
import { takeControls } from './controls.ts'
import { type Draft, type Look, wait } from './draft.ts'
import { closeGates } from './gates.ts'
import { measure } from './measure.ts'
import { driveStep, enter, unpause } from './progress.ts'
import { driveComplete, drivePromotion } from './promote.ts'
import { retire } from './retire.ts'
import { scaleBack, scaleToward, servable } from './scale.ts'
import type { Action, Observation, Plan, RolloutState } from './types.ts'

export interface Advanced {
  state: RolloutState
  actions: readonly Action[]
}

/**
 * One look: decides from what is seen now. Pure and level-triggered: the same input gives the same answer, and an action
 * is given again at every look until it is observed, so that one that was lost is repaired by the next. The caller stores
 * the state before it acts. `now` is milliseconds since the epoch; a clock that steps back stands still until it is caught up.
 */
export function advance(plan: Plan, state: RolloutState, observation: Observation, now: number): Advanced {
  const at = Math.max(now, state.lookedAt)
  const draft: Draft = { ...state }
  const look: Look = {
    plan,
    seen: observation,
    now: at,
    elapsed: at - state.lookedAt,
    draft,
    actions: [],
    reason: { code: state.reason.code, message: state.reason.message },
    wakes: [],
  }
  draft.served = observation.served
  takeControls(look)
  countPause(look, state)
  failFast(look)
  measure(look)
  drive(look)
  deadline(look)
  act(look)
  draft.lookedAt = at
  draft.reason = { ...look.reason, since: look.reason.code === state.reason.code ? state.reason.since : at }
  const due = look.wakes.filter((wake) => wake > at)
  if (due.length > 0) look.actions.push({ kind: 'wake', at: Math.min(...due) })
  return { state: draft, actions: look.actions }
}

/** Paused and healthy time moves the deadline: it counts only what was spent in trouble, so flapping cannot put it off for ever. */
function countPause(look: Look, before: RolloutState): void {
  const { draft, elapsed } = look
  const paused = before.phase === 'paused'
  if (paused) draft.pausedMs += elapsed
  if (draft.progressDeadlineAt !== null && (paused || before.healthySince !== null)) draft.progressDeadlineAt += elapsed
}

/** A crash loop, a failed pull, a failed start: waiting is useless, so no deadline is waited for. */
function failFast(look: Look): void {
  const { draft, seen } = look
  const failing = seen.candidate?.failing
  const running =
    ['progressing', 'paused', 'promoting'].includes(draft.phase) ||
    (draft.phase === 'complete' && draft.windowEndsAt !== null)
  if (failing && running) beginAbort(look, failing.code, failing.message, null)
}

function drive(look: Look): void {
  const { draft } = look
  if (draft.phase === 'pending') enter(look, 0)
  if (draft.phase === 'progressing' || draft.phase === 'promoting') running(look, true)
  else if (draft.phase === 'paused') whilePaused(look)
  else if (draft.phase === 'aborting') driveAbort(look)
  else if (draft.phase === 'aborted') driveAborted(look)
  else if (draft.phase === 'complete') driveComplete(look)
  else {
    if (canReturn(look)) draft.asked = 0
    wait(look, 'superseded', 'A newer release takes its place')
  }
}

function running(look: Look, rise: boolean): void {
  const { draft, plan } = look
  const from = draft.phase === 'paused' ? draft.pausedFrom : draft.phase
  const step = plan.steps[draft.step]
  if (from === 'promoting' || !step) drivePromotion(look, rise)
  else if (draft.full && rise) {
    unpause(look)
    enter(look, plan.steps.length)
    drivePromotion(look, rise)
  } else driveStep(look, step, rise)
  if (look.draft.phase === 'aborting') driveAbort(look)
}

/** A person's pause holds everything where it is; a pause of the machine's own ends by itself when its cause does. */
function whilePaused(look: Look): void {
  const { draft } = look
  const person = draft.pause?.kind === 'person'
  if (person && draft.pausedFrom === 'progressing' && draft.step < 0) holdAtStart(look)
  running(look, !person)
  if (person && draft.phase === 'paused') wait(look, 'paused-person', `Paused by a person at ${round(draft.asked)}%`)
}

/** Paused before the first look: the first step is entered, and held at nothing. */
function holdAtStart(look: Look): void {
  const { pause } = look.draft
  enter(look, 0)
  look.draft.pausedFrom = look.draft.phase === 'promoting' ? 'promoting' : 'progressing'
  look.draft.phase = 'paused'
  look.draft.pause = pause
}

function deadline(look: Look): void {
  const { draft, now } = look
  if (draft.phase !== 'progressing' && draft.phase !== 'promoting') return
  if (draft.progressDeadlineAt === null || draft.healthySince !== null) return
  if (now < draft.progressDeadlineAt) {
    look.wakes.push(draft.progressDeadlineAt)
    return
  }
  const spent = words(look.plan.progressDeadlineMs)
  beginAbort(look, 'progress-deadline', `No progress within ${spent}: ${look.reason.message}`, null)
  driveAbort(look)
}

/** Actions that follow from the state alone. */
function act(look: Look): void {
  const { draft, plan, seen, actions, now } = look
  if (draft.candidate === draft.stable) return
  if (draft.phase === 'complete') {
    if (seen.promoted === false || (seen.promoted === undefined && seen.stable !== null))
      actions.push({ kind: 'promote' })
    if (seen.stable !== null && seen.served < 99.99) actions.push({ kind: 'route', share: 100 })
    if (draft.windowEndsAt !== null) scaleToward(look, 100)
    else retire(look, 'stable')
    return
  }
  const back = draft.phase === 'aborting' || draft.phase === 'aborted' || draft.phase === 'superseded'
  if (draft.phase === 'superseded' && seen.candidate === null) return
  if (Math.abs(seen.served - draft.asked) > (draft.asked === 0 || draft.asked === 100 ? 0.001 : 0.5))
    actions.push({ kind: 'route', share: draft.asked })
  if (back) {
    if (draft.promoted && seen.promoted !== false) actions.push({ kind: 'demote' })
    const keep =
      draft.phase === 'aborting' ? plan.abortKeepMs > 0 : draft.phase === 'aborted' && now < (draft.keepUntil ?? 0)
    scaleBack(look, keep)
    if (draft.phase !== 'aborting' && !keep && seen.served <= 0.001) retire(look, 'candidate')
  } else scaleToward(look, goalOf(look))
  closeGates(look)
}

/** Gates before promotion need something to try: the least share there is gives one instance, which serves nothing yet. */
const trial = 1

function goalOf(look: Look): number {
  const { draft, plan } = look
  if (draft.stable === null) return 100
  const promoting = draft.phase === 'promoting' || draft.pausedFrom === 'promoting'
  if (promoting) return draft.cleared ? 100 : Math.max(draft.asked, trial)
  return servable(look, plan.steps[draft.step]?.share ?? draft.asked)
}
