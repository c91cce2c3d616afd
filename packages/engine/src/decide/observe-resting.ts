import { isCompute } from '../plan/compute.ts'
import { resourceDigest } from '../plan/resource-digest.ts'
import type { LoadedTarget } from '../plan/targets.ts'
import type { Turn } from './turn.ts'

/** The slow comparison of what rests with what was applied; live resources that drifted are corrected where policy says so. */
export function observeResting(turn: Turn, stable: LoadedTarget): void {
  const { state, limits, now } = turn
  if (state.phase === 'updating' || state.phase === 'returning') return
  for (const resource of Object.values(state.resources)) {
    const spec = stable.release.manifest.resources.find(({ name }) => name === resource.name)
    if (!spec || isCompute(spec) || spec.lifecycle !== 'live') continue
    if (resource.drift.length > 0 && resource.phase !== 'failed' && turn.desired.policy.drift === 'correct') {
      turn.operate({
        kind: 'ensure',
        resource: spec,
        target: stable.target,
        applied: resourceDigest(spec, stable.config),
      })
    }
  }
  const due = (state.checkedAt ?? 0) + limits.driftMs
  turn.wake(due > now ? due : now + limits.driftMs)
  if (due > now) return
  turn.set({ checkedAt: now })
  for (const resource of Object.values(state.resources)) {
    if (!resource.spec || (isCompute(resource.spec) && resource.lifecycle === 'live')) continue
    if (resource.phase === 'ready' || resource.phase === 'degraded') {
      turn.operate({ kind: 'observe', resource: resource.spec, target: stable.target })
    }
  }
}
