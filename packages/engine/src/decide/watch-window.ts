import { computeOf, type LoadedTarget } from '../plan/targets.ts'
import { sameJson } from '../state/same-json.ts'
import { abandonPromoted } from './abandon.ts'
import { reject } from './aim.ts'
import { look } from './look.ts'
import { advanceWith, compileFor, isFailing } from './machine.ts'
import { narrate } from './narrate.ts'
import { observationFor } from './observation.ts'
import type { Turn } from './turn.ts'

/**
 * The rollback window after a promotion: old versions are kept, the post-promotion analysis runs, and one failing worker
 * takes all of them back. Answers the versions to keep, by worker.
 */
export function watchWindow(turn: Turn, stable: LoadedTarget): void {
  if (!turn.state.previous) return
  const watched = Object.entries(turn.state.workers).filter(([, worker]) => worker.previous && worker.rollout)
  let open = false
  for (const [name, worker] of watched) {
    const resource = computeOf(stable, name)
    if (!resource || !worker.rollout || !worker.stable) continue
    open ||= (worker.rollout.windowEndsAt ?? 0) > turn.now
    const seen = look(turn, resource, stable.target, turn.limits.rolloutTickMs)
    if (!seen) continue
    const plan = compileFor(turn, stable, name, watched.length)
    const roles = { stable: worker.previous ?? null, candidate: worker.stable }
    const observation = observationFor(turn, name, roles, seen, resource.scale, plan)
    const next = advanceWith(plan, worker.rollout, observation, { status: 'pass' }, turn.now).state
    narrate(turn, name, worker.rollout, next)
    if (!sameJson(next, worker.rollout)) turn.worker(name, { rollout: next })
    if (!isFailing(next)) continue
    const code = next.aborted?.code ?? next.reason.code
    const message = `${name}: ${next.aborted?.message ?? next.reason.message}`
    reject(turn, stable.target, code, message)
    turn.emit('rollout.aborted', message, {
      code,
      resource: name,
      data: {
        rollout: next.id,
        release: stable.release.version,
        step: next.aborted?.step ?? next.step,
        share: 100,
        afterPromotion: true,
        evidence: next.aborted?.evidence ?? null,
        candidate: { version: worker.stable, counters: observation.candidate?.counters ?? null },
        stable: { version: worker.previous, counters: observation.stable?.counters ?? null },
      },
    })
    abandonPromoted(turn, { code, message, superseded: false })
    return
  }
  if (open) {
    const endsAt = Math.max(...watched.map(([, worker]) => worker.rollout?.windowEndsAt ?? 0))
    turn.wake(endsAt)
    return
  }
  for (const [name] of watched) turn.worker(name, { previous: null, rest: null })
  turn.set({ previous: null })
  turn.emit('rollout.window-closed', 'The rollback window is over; what came before is cleared away')
}
