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

/** Percent that the router is set to send to a version, whether or not it can serve now. */
export function weightOf(observation: ComputeObservation, version: Digest | null): number {
  return version === null ? 0 : (observation.weights[version] ?? 0)
}

/** Versions that users get, or would get if they came back. */
export function routedTo(observation: ComputeObservation): Digest[] {
  const ids = new Set([...Object.keys(observation.weights), ...Object.keys(observation.served)])
  return [...ids].filter((id) => weightOf(observation, id) > 0 || servedBy(observation, id) > 0)
}

/** Routers round: a share within half a percent is the share. */
export function isShare(actual: number, wanted: number): boolean {
  if (wanted === 0 || wanted === 100) return Math.abs(actual - wanted) < 0.01
  return Math.abs(actual - wanted) < 0.5
}
