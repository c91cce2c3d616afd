import { budget } from '../plan/capacity.ts'
import { words } from '../plan/duration.ts'
import { decide, type Look, wait } from './draft.ts'
import type { Evidence } from './types.ts'

/** From any running phase, and from `complete` while the rollback window is open. */
export function beginAbort(look: Look, code: string, message: string, evidence: Evidence | null): void {
  const { draft, now } = look
  draft.aborted = { step: draft.step, at: now, code, message, evidence }
  draft.phase = 'aborting'
  draft.pause = null
  draft.pausedFrom = null
  draft.progressDeadlineAt = null
  draft.reachedAt = null
  draft.healthySince = null
  draft.windowEndsAt = null
  decide(look, code, message)
}

/**
 * Whether traffic can leave the candidate: stable answers, or the candidate does not anyway, or there is no stable. If
 * stable has nothing at all, what still answers goes on answering until it has.
 */
export function canReturn({ seen, draft }: Look): boolean {
  if (draft.stable === null || seen.desired === 0) return true
  return (seen.stable?.available ?? 0) > 0 || (seen.candidate?.available ?? 0) === 0
}

/** `aborting` → `aborted` once stable serves everything, at its scale, as read back. */
export function driveAbort(look: Look): void {
  const { draft, plan, seen, now } = look
  const cause = draft.aborted?.message ?? 'aborted'
  if (canReturn(look) || seen.served <= 0.001) draft.asked = 0
  const { unavailable } = budget(plan, seen.desired)
  const back = seen.served <= 0.001
  const whole = draft.stable === null || (seen.stable?.available ?? 0) >= seen.desired - unavailable
  const demoted =
    !draft.promoted ||
    seen.promoted === false ||
    (seen.promoted === undefined && draft.lookedAt > (draft.aborted?.at ?? 0))
  if (!back) {
    if (draft.asked === 0)
      wait(look, 'returning-traffic', `Goes back: ${round(seen.served)}% still to return to stable. ${cause}`)
    else
      wait(
        look,
        'stable-has-nothing',
        `Stable has no healthy instance yet; the candidate answers until it has. ${cause}`,
      )
    return
  }
  if (!whole || !demoted) {
    wait(
      look,
      'restoring-stable',
      `All traffic is back; stable grows to its full scale: ${seen.stable?.available ?? 0} of ${seen.desired}. ${cause}`,
    )
    return
  }
  draft.phase = 'aborted'
  draft.promoted = false
  draft.keepUntil = now + plan.abortKeepMs
  decide(look, 'aborted', draft.stable === null ? `Stopped: ${cause}` : `100% is back on stable: ${cause}`)
  driveAborted(look)
}

export function driveAborted(look: Look): void {
  const { draft, now } = look
  const kept = (draft.keepUntil ?? 0) - now
  const keeping = kept > 0 && look.seen.candidate !== null
  if (keeping) look.wakes.push(now + kept)
  const note = keeping ? `; the candidate is kept ${words(kept)} for inspection` : ''
  wait(look, draft.aborted?.code ?? 'aborted', `${draft.aborted?.message ?? 'Aborted'}${note}`)
}

export const round = (share: number): number => Math.round(share * 10) / 10
