import { words } from '../plan/duration.ts'
import { decide, type Look, wait } from './draft.ts'
import { askGates, isGate, needsPerson } from './gates.ts'
import { standing } from './measure.ts'
import { explainHold, hold, measured, unpause, waitForGate } from './progress.ts'
import type { AnalysisSpec, GateSpec } from './types.ts'

/** After the last step: gates before promotion, 100% really served, the other workers, and then the promotion itself. */
export function drivePromotion(look: Look, rise: boolean): void {
  const { draft, plan } = look
  if (!draft.cleared && !cleared(look, rise)) return
  const held = hold(look, 100, rise)
  if (!held) {
    explainHold(look, 100)
    return
  }
  if (!rise) return
  const peers = askGates(
    look,
    plan.prePromotion.filter(isGate).filter((gate) => gate.kind === 'peers'),
  )
  if (draft.phase !== 'promoting') return
  if (peers) {
    wait(look, 'waiting-for-peers', 'Serves 100%; waits until the other workers do, so that all change together')
    return
  }
  if (!draft.promoted) decide(look, 'promoting', 'Serves 100% as read back: becomes the stable version')
  const observed = look.seen.promoted === true || (look.seen.promoted === undefined && draft.promoted)
  draft.promoted = true
  if (!observed) {
    look.actions.push({ kind: 'promote' })
    wait(look, 'promoting', 'Triggers and pointers move to the new version')
  } else finish(look)
}

/** The gates before promotion, at the share of the last step. */
function cleared(look: Look, rise: boolean): boolean {
  const { draft, plan, seen, now } = look
  const share = draft.asked
  hold(look, share, false)
  const gates = beforePromotion(look)
  const nothingToTry = gates.length > 0 && seen.desired > 0 && (seen.candidate?.available ?? 0) === 0
  if (nothingToTry) {
    explainHold(look, 1)
    return false
  }
  const waiting = askGates(look, gates)
  if (draft.phase === 'aborting' || !rise) return false
  const specs = draft.stable === null ? [] : plan.prePromotion.filter((spec): spec is AnalysisSpec => !isGate(spec))
  const since = draft.promotingAt ?? now
  const passed = draft.passed.data === Number.MAX_SAFE_INTEGER
  if (!measured(look, specs, { since, until: since, passed, text: `Measuring at ${share}% before promotion` }))
    return false
  if (waiting) {
    waitForGate(look, waiting)
    return false
  }
  unpause(look)
  draft.cleared = true
  draft.reachedAt = null
  draft.healthySince = null
  draft.progressDeadlineAt = now + plan.progressDeadlineMs
  return true
}

/** Promoting everything at once skips what measures, never what a person or the customer's calendar must allow. */
function beforePromotion({ draft, plan }: Look): readonly GateSpec[] {
  const own = plan.prePromotion.filter(isGate).filter((gate) => gate.kind !== 'peers')
  if (!draft.full) return own
  const skipped = plan.steps.slice(Math.max(0, draft.step)).flatMap((step) => step.gates)
  return [...skipped, ...own].filter(needsPerson)
}

function finish(look: Look): void {
  const { draft, plan, now } = look
  draft.phase = 'complete'
  draft.progressDeadlineAt = null
  draft.windowEndsAt = draft.stable !== null && plan.rollbackWindowMs > 0 ? now + plan.rollbackWindowMs : null
  decide(
    look,
    'complete',
    draft.stable === null ? 'Serves everything: the first version' : 'Promoted: the new version is stable',
  )
  driveComplete(look)
}

/** After the promotion: the rollback window. */
export function driveComplete(look: Look): void {
  const { draft, plan, now } = look
  if (draft.candidate === draft.stable) {
    wait(look, 'nothing-to-do', 'Already runs: nothing to do')
    return
  }
  if (draft.windowEndsAt !== null && now < draft.windowEndsAt) {
    look.wakes.push(draft.windowEndsAt)
    wait(
      look,
      'rollback-window',
      `Promoted; watched for ${words(draft.windowEndsAt - now)} more, goes back by itself if it turns out worse`,
    )
    return
  }
  if (draft.windowEndsAt !== null) {
    const { verdict } = standing(look, plan.postPromotion)
    const known =
      plan.postPromotion.length === 0 || verdict === 'pass'
        ? 'nothing was found'
        : 'too little data to say that it is as good'
    decide(look, 'window-closed', `The rollback window is over: ${known}`)
    draft.windowEndsAt = null
  }
  wait(look, 'complete', 'Complete: the new version serves everything')
}
