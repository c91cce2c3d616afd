import { answerFor } from '../consent/answer-for.ts'
import { windowsAt } from '../consent/windows-at.ts'
import type { Target } from '../ports/desired.ts'
import type { Hold } from './hold.ts'
import type { Turn } from './turn.ts'

/**
 * What the customer has against a target, or null. Whole targets are approved: a change of config is one too. A return to a
 * target that was stable here before is held by nothing. Once it is under way only a refusal takes it back, or, where the
 * policy says so, a window that closes; neither an answer that is taken back nor a pause does.
 */
export function consentHold(turn: Turn, wanted: Target): Hold | null {
  const { state, desired } = turn
  const { updates, windows } = desired.customer
  if (wasStable(turn, wanted)) return null
  const rests = state.stable ? 'running' : 'pending'
  const answer = answerFor(turn, ['update'], wanted.digest)
  const underWay = state.candidate?.digest === wanted.digest
  if (!underWay && updates === 'paused') {
    return { rests, code: 'UPDATES_PAUSED', message: 'The customer has paused updates' }
  }
  if (answer?.status === 'fail') return { rests, code: 'UPDATE_REFUSED', message: answer.message ?? 'Refused' }
  if (!underWay && updates === 'approval' && answer?.status !== 'pass') {
    return { rests, code: 'WAITS_FOR_APPROVAL', message: 'Waits for the customer to approve this update' }
  }
  // A first deployment has nothing to return to: it finishes.
  if (underWay && (desired.policy.windowClose === 'finish' || !state.stable)) return null
  const { open, changesAt } = windowsAt(windows, turn.now)
  if (changesAt !== null) turn.wake(changesAt)
  if (open) return null
  const next =
    changesAt === null ? 'and none opens any more' : `which opens at ${new Date(changesAt).toISOString().slice(0, 16)}Z`
  const message = underWay
    ? `The maintenance window closed during the rollout; waits for the next one, ${next}`
    : `Waits for the maintenance window, ${next}`
  return { rests, code: 'WAITS_FOR_WINDOW', message }
}

function wasStable({ state }: Turn, wanted: Target): boolean {
  return [state.stable, ...(state.history ?? [])].some((target) => target?.digest === wanted.digest)
}
