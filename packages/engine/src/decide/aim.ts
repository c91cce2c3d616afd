import type { LoadedTarget, Targets } from '../plan/targets.ts'
import type { Target } from '../ports/desired.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { abandon } from './abandon.ts'
import { beginRollouts } from './begin-rollouts.ts'
import { consentHold } from './consent-hold.ts'
import { type Hold, holdOf } from './hold.ts'
import type { Turn } from './turn.ts'

const maxRejected = 20

/**
 * Chooses what is worked towards: the wanted target, or stable while something stands against it. A change of mind takes
 * effect here and now: what was under way is given up, whatever it waited for.
 */
export function aim(turn: Turn, targets: Targets): Hold | null {
  engineControls(turn)
  let hold = holdOf(turn, targets)
  const { state, desired } = turn
  if (hold?.reject && desired.target) {
    reject(turn, desired.target, hold.code, hold.message)
    turn.emit('target.refused', hold.message, { code: hold.code })
    hold = { ...hold, rests: state.stable ? 'running' : 'failed' }
  }
  if (hold?.passing) {
    turn.wake(turn.now + 5_000)
    return hold
  }
  const goal = hold ? state.stable : desired.target
  if (state.candidate && state.candidate.digest !== goal?.digest) {
    const cause = causeOf(turn, hold)
    if (goal && goal.digest !== state.stable?.digest) {
      const next = targets.loaded.get(goal.digest)
      if (next) replace(turn, next, cause)
    } else abandon(turn, cause)
  } else if (!state.candidate && goal && goal.digest !== state.stable?.digest) {
    const next = targets.loaded.get(goal.digest)
    if (next) begin(turn, next)
  }
  return hold
}

/**
 * While a setup is carried out nothing new begins; but a person's abort, a change of the target and what the customer says take
 * effect as ever, because a setup can be stuck for long.
 */
export function aimInSetup(turn: Turn): Hold {
  engineControls(turn)
  const { candidate, stable } = turn.state
  if (candidate) {
    const rejected = turn.state.rejected.find((entry) => entry.target === candidate.digest)
    if (rejected) abandon(turn, { code: rejected.code, message: rejected.message, superseded: false })
    else if (candidate.digest !== turn.desired.target?.digest) abandon(turn, causeOf(turn, null))
    else {
      const hold = consentHold(turn, candidate)
      if (hold) abandon(turn, causeOf(turn, hold))
    }
  }
  const { phase } = turn.state
  const onTheWay = phase === 'updating' || phase === 'returning'
  const rests = onTheWay ? (stable ? 'running' : 'setting-up') : phase
  return { rests, code: 'SETTING_UP', message: 'Setup is under way' }
}

/** Remembers that a target went back or was refused; a person's retry, or a new target, lifts it. */
export function reject(turn: Turn, target: Target, code: string, message: string): void {
  const others = turn.state.rejected.filter((entry) => entry.target !== target.digest)
  turn.set({ rejected: [...others, { target: target.digest, code, message, at: turn.now }].slice(-maxRejected) })
}

function causeOf(turn: Turn, hold: Hold | null): Cause {
  if (hold) return { code: hold.code, message: hold.message, superseded: false }
  const back = turn.desired.target?.digest === turn.state.stable?.digest
  return back
    ? { code: 'RETURN_ASKED', message: 'The target was set back to stable', superseded: true }
    : { code: 'NEW_TARGET', message: 'A newer target replaced it', superseded: true }
}

export interface Cause {
  code: string
  message: string
  /** By a change of target rather than by a failure or a person's abort. */
  superseded: boolean
  by?: string
}

function begin(turn: Turn, next: LoadedTarget): void {
  turn.set({
    candidate: next.target,
    phase: 'updating',
    previous: null,
    resources: withoutRetries(turn.state),
  })
  beginRollouts(turn, next)
  turn.setReason('UPDATING', `Updating to ${next.release.version}`)
  turn.emit('deployment.updating', `Updating to release ${next.release.version}`, {
    data: { target: next.target.digest, release: next.release.digest, sequence: next.release.sequence },
  })
}

function replace(turn: Turn, next: LoadedTarget, cause: Cause): void {
  abandon(turn, cause)
  begin(turn, next)
}

/** A change of direction starts with a fresh budget. */
export function withoutRetries(state: DeploymentState): DeploymentState['resources'] {
  return Object.fromEntries(
    Object.entries(state.resources).map(([name, resource]) => [name, { ...resource, retry: null }]),
  )
}

/** `retry` and `abort` are the engine's; the others belong to the workers' machines and are dropped when none runs. */
function engineControls(turn: Turn): void {
  for (const control of turn.desired.controls) {
    if (turn.state.seenControls.includes(control.id)) continue
    if (control.target !== undefined && control.target !== turn.desired.target?.digest) {
      seen(turn, control.id)
      const message = `${control.kind} by ${control.by} was for another target and is not carried out`
      turn.emit('control.dropped', message, { code: 'OTHER_TARGET' })
      continue
    }
    const machines = Object.values(turn.state.workers).some((worker) => worker.candidate || worker.previous)
    if (control.kind === 'retry') {
      const wanted = turn.desired.target?.digest
      turn.set({
        rejected: turn.state.rejected.filter((entry) => entry.target !== wanted),
        resources: withoutRetries(turn.state),
      })
      seen(turn, control.id)
      turn.emit(
        'control.retry',
        `${control.by} asked to try again`,
        control.reason ? { data: { reason: control.reason } } : {},
      )
    } else if (control.kind === 'abort') {
      const target = turn.state.candidate ?? (turn.state.previous ? turn.state.stable : null)
      if (target) reject(turn, target, 'ABORTED', `${control.by} aborted${control.reason ? `: ${control.reason}` : ''}`)
      seen(turn, control.id)
    } else if (control.kind === 'promote-full' && turn.desired.target && isRejected(turn, turn.desired.target)) {
      // Past the steps, and although it went back before: its machine gets the control once it runs again.
      const wanted = turn.desired.target.digest
      turn.set({ rejected: turn.state.rejected.filter((entry) => entry.target !== wanted) })
    } else if (!machines && turn.state.stable?.digest === turn.desired.target?.digest) seen(turn, control.id)
  }
}

function isRejected(turn: Turn, target: Target): boolean {
  return turn.state.rejected.some((entry) => entry.target === target.digest)
}

export function seen(turn: Turn, ...ids: string[]): void {
  const more = ids.filter((id) => !turn.state.seenControls.includes(id))
  if (more.length > 0) turn.set({ seenControls: [...turn.state.seenControls, ...more].slice(-200) })
}
