import { start } from '@landfall/rollout'
import type { LoadedTarget } from '../plan/targets.ts'
import { compileFor } from './machine.ts'
import type { Turn } from './turn.ts'

/**
 * Starts one machine for each worker whose version differs, at step 0 against the same stable. A worker whose version is the
 * same has nothing to roll out.
 */
export function beginRollouts(turn: Turn, next: LoadedTarget): void {
  const changed = Object.entries(next.versions).filter(([name, id]) => turn.state.workers[name]?.stable !== id)
  const run = `${next.target.digest.slice(7, 19)}-${turn.now.toString(36)}`
  for (const [name, worker] of Object.entries(turn.state.workers)) {
    // What was kept for inspection has to make room.
    const versions = Object.fromEntries(
      Object.entries(worker.versions ?? {}).map(([id, { target }]) => [id, { target }] as const),
    )
    turn.worker(name, { previous: null, candidate: null, versions })
  }
  for (const [name, id] of changed) {
    const versions = turn.state.workers[name]?.versions ?? {}
    const plan = compileFor(turn, next, name, changed.length)
    turn.worker(name, {
      candidate: id,
      rest: null,
      rollout: start({
        id: `${run}/${name}`,
        stable: turn.state.workers[name]?.stable ?? null,
        candidate: id,
        plan,
        now: turn.now,
        seenControls: turn.state.seenControls,
      }),
      versions: { ...versions, [id]: { target: next.target } },
      abortKeepMs: plan.abortKeepMs,
    })
    turn.emit('rollout.started', `${name}: rollout of ${next.release.version} starts`, {
      resource: name,
      data: { rollout: `${run}/${name}`, candidate: id, stable: turn.state.workers[name]?.stable ?? null },
    })
  }
}
