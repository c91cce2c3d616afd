import { allAnalyses } from '../plan/compile-plan.ts'
import { rebased } from '../statistics/judge.ts'
import { beginAbort } from './abort.ts'
import { decide, type Look } from './draft.ts'
import type { Control } from './types.ts'

const maxSeen = 500

/** Acts on controls not seen before, oldest first. One that cannot apply now is noted and does nothing. */
export function takeControls(look: Look): void {
  const seen = new Set(look.draft.seenControls)
  const fresh = look.seen.controls.filter((control) => !seen.has(control.id))
  for (const control of [...fresh].sort((a, b) => a.at - b.at)) {
    if (seen.has(control.id)) continue
    seen.add(control.id)
    const did = act[control.kind](look, control)
    const why = control.reason ? `: ${control.reason}` : ''
    if (did) decide(look, `control-${control.kind}`, `${control.by} asked to ${control.kind}${why}`, control.by)
    else
      decide(
        look,
        'control-ignored',
        `${control.by} asked to ${control.kind}; nothing to ${control.kind} now`,
        control.by,
      )
  }
  look.draft.seenControls = [...seen].slice(-maxSeen)
}

type Act = (look: Look, control: Control) => boolean
const running = (look: Look) => ['pending', 'progressing', 'promoting', 'paused'].includes(look.draft.phase)

const act: Readonly<Record<Control['kind'], Act>> = {
  pause({ draft, now }) {
    if (draft.phase === 'paused') {
      if (draft.pause?.kind === 'person') return false
      draft.pause = { kind: 'person', since: now, until: null }
      return true
    }
    if (!['pending', 'progressing', 'promoting'].includes(draft.phase) || draft.promoted) return false
    draft.pausedFrom = draft.phase === 'promoting' ? 'promoting' : 'progressing'
    draft.phase = 'paused'
    draft.pause = { kind: 'person', since: now, until: null }
    return true
  },
  resume(look) {
    if (look.draft.pause?.kind === 'gate') return false
    return clearPause(look)
  },
  promote(look) {
    const { draft } = look
    if (!running(look) || draft.pause?.kind === 'gate') return false
    if (clearPause(look)) return true
    if (draft.phase !== 'progressing' || draft.step < 0) return false
    draft.passed = { skip: draft.step, data: draft.step, pause: draft.step }
    return true
  },
  'promote-full'(look) {
    const { draft } = look
    if (draft.phase === 'aborted') restart(look)
    else if (!running(look)) return false
    if (draft.pause?.kind !== 'gate') clearPause(look)
    draft.full = true
    return true
  },
  abort(look, control) {
    const { draft } = look
    const window = draft.phase === 'complete' && draft.windowEndsAt !== null
    if (!running(look) && !window) return false
    beginAbort(look, 'aborted-by-person', control.reason ?? `${control.by} asked to abort`, null)
    return true
  },
  retry(look) {
    if (look.draft.phase !== 'aborted') return false
    restart(look)
    return true
  },
}

/** Ends a pause. One for missing or unclear data is thereby accepted; a step's own pause is over. */
function clearPause({ draft }: Look): boolean {
  if (draft.phase !== 'paused' || !draft.pause) return false
  const { kind } = draft.pause
  if (kind === 'no-data' || kind === 'inconclusive')
    draft.passed = { ...draft.passed, data: passMark(draft.step, draft.pausedFrom) }
  if (kind === 'step') draft.passed = { ...draft.passed, pause: draft.step }
  const begun = draft.step >= 0 || draft.pausedFrom === 'promoting'
  draft.phase = begun ? (draft.pausedFrom ?? 'progressing') : 'pending'
  draft.pause = null
  draft.pausedFrom = null
  return true
}

/** Data accepted while promoting counts for the gates before promotion, not for a step. */
export const passMark = (step: number, from: string | null): number =>
  from === 'promoting' ? Number.MAX_SAFE_INTEGER : step

/** From the beginning, with evidence from now on only. */
function restart(look: Look): void {
  const { draft, plan, seen, now } = look
  draft.phase = 'pending'
  draft.step = -1
  draft.asked = 0
  draft.peak = 0
  draft.reachedAt = null
  draft.healthySince = null
  draft.pause = null
  draft.pausedFrom = null
  draft.pausedMs = 0
  draft.progressDeadlineAt = null
  draft.windowEndsAt = null
  draft.promotingAt = null
  draft.cleared = false
  draft.promoted = false
  draft.keepUntil = null
  draft.full = false
  draft.aborted = null
  draft.passed = { skip: -1, data: -1, pause: -1 }
  draft.evidence = []
  draft.series = []
  draft.startedAt = now
  const before = allAnalyses(plan).filter((spec) => !plan.postPromotion.includes(spec))
  const fresh = before.map((spec) => [spec.id, rebased(spec, seen.stable?.counters, seen.candidate?.counters)] as const)
  draft.memory = Object.fromEntries(fresh)
}
