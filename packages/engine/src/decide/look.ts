import type { ComputeResource, Digest } from '@landfall/stack'
import type { Target } from '../ports/desired.ts'
import type { ComputeObservation } from '../ports/platform.ts'
import type { Turn } from './turn.ts'

/** The newest look at a worker that is not older than `maxAge`; else asks for one and answers null. */
export function look(
  turn: Turn,
  resource: ComputeResource,
  target: Target | null,
  maxAge: number,
): ComputeObservation | null {
  const seen = turn.world.compute.get(resource.name)
  if (seen && turn.now - seen.at < maxAge) {
    turn.wake(seen.at + maxAge)
    return seen.value
  }
  turn.operate({ kind: 'observe', resource, target })
  return null
}

/** Percent that a version is read to serve. */
export function servedBy(observation: ComputeObservation, version: Digest | null): number {
  return version === null ? 0 : (observation.served[version] ?? 0)
}

/** Routers round: a share within half a percent is the share. */
export function isShare(actual: number, wanted: number): boolean {
  if (wanted === 0 || wanted === 100) return Math.abs(actual - wanted) < 0.01
  return Math.abs(actual - wanted) < 0.5
}
