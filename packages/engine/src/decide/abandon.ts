import type { Digest } from '@landfall/stack'
import type { WorkerState } from '../state/deployment-state.ts'
import { type Cause, withoutRetries } from './aim.ts'
import { recordAbort, recordSuperseded } from './machine.ts'
import type { Turn } from './turn.ts'

/**
 * Gives the candidate up, on all workers at once: the deployment never rests on a mix. From here on every worker settles on
 * its stable version, and what was the candidate is a version like any other that nothing points to.
 */
export function abandon(turn: Turn, cause: Cause): void {
  const candidate = turn.state.candidate
  if (!candidate) return
  for (const [name, worker] of Object.entries(turn.state.workers)) {
    if (worker.candidate) giveUp(turn, name, worker, worker.candidate, worker.stable, cause)
  }
  turn.set({ candidate: null, phase: 'returning', resources: withoutRetries(turn.state) })
  announce(turn, candidate.digest, cause)
}

/** A promoted target failed inside its rollback window, or was taken back there: all workers return to what they had before. */
export function abandonPromoted(turn: Turn, cause: Cause): void {
  const { stable, previous } = turn.state
  if (!stable || !previous) return
  for (const [name, worker] of Object.entries(turn.state.workers)) {
    // Workers that the promoted target did not change, or brought first, have no previous version of their own.
    if (worker.previous && worker.stable) giveUp(turn, name, worker, worker.stable, worker.previous, cause)
  }
  turn.set({
    stable: previous,
    previous: null,
    phase: 'returning',
    resources: withoutRetries(turn.state),
    history: (turn.state.history ?? []).filter((target) => target.digest !== previous.digest),
  })
  announce(turn, stable.digest, cause)
}

function giveUp(turn: Turn, name: string, worker: WorkerState, lost: Digest, back: Digest | null, cause: Cause): void {
  const rollout = worker.rollout
  const recorded =
    rollout && (cause.superseded ? recordSuperseded(rollout, turn.now) : recordAbort(rollout, cause, turn.now))
  const keepMs = cause.superseded ? 0 : (worker.abortKeepMs ?? 0)
  const record = worker.versions?.[lost]
  turn.worker(name, {
    stable: back,
    candidate: null,
    previous: null,
    rest: null,
    rollout: recorded,
    ...(record && keepMs > 0
      ? { versions: { ...worker.versions, [lost]: { ...record, keepUntil: turn.now + keepMs } } }
      : {}),
  })
}

function announce(turn: Turn, target: Digest, cause: Cause): void {
  turn.emit(cause.superseded ? 'rollout.superseded' : 'deployment.returning', cause.message, {
    code: cause.code,
    data: { target, to: turn.state.stable?.digest ?? null, ...(cause.by ? { by: cause.by } : {}) },
  })
  turn.setReason(cause.code, turn.state.stable ? `Going back: ${cause.message}` : cause.message)
}
