import type { LoadedTarget } from '../plan/targets.ts'
import type { Turn } from './turn.ts'

const maxHistory = 20

/** All workers are complete: the candidate is the new stable. Triggers move, and old versions go, as workers settle. */
export function promote(turn: Turn, candidate: LoadedTarget): void {
  const before = turn.state.stable
  const windows = Object.values(turn.state.workers).map((worker) =>
    worker.candidate ? worker.rollout?.windowEndsAt : null,
  )
  const open = before !== null && windows.some((endsAt) => typeof endsAt === 'number' && endsAt > turn.now)
  for (const [name, worker] of Object.entries(turn.state.workers)) {
    if (!worker.candidate) continue
    turn.worker(name, { stable: worker.candidate, candidate: null, previous: open ? worker.stable : null, rest: null })
    turn.resource(name, { phase: 'ready', reason: null, applied: worker.candidate })
  }
  const history = (turn.state.history ?? []).filter(
    (target) => target.digest !== before?.digest && target.digest !== candidate.target.digest,
  )
  turn.set({
    stable: candidate.target,
    candidate: null,
    sequence: Math.max(turn.state.sequence, candidate.release.sequence),
    previous: open ? before : null,
    history: [...(before ? [before] : []), ...history].slice(0, maxHistory),
    rejected: turn.state.rejected.filter((entry) => entry.target !== candidate.target.digest),
    phase: 'updating',
  })
  turn.setReason(
    'FINISHING',
    `Promoted ${candidate.release.version}; moving triggers and clearing away what it replaces`,
  )
  turn.emit('deployment.promoted', `Release ${candidate.release.version} is now stable`, {
    data: { target: candidate.target.digest, previous: before?.digest ?? null, windowOpen: open },
  })
}
