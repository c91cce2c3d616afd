import type { ComputeResource, Digest } from '@landfall/stack'
import { computeOf } from '../plan/targets.ts'
import type { ComputeObservation } from '../ports/platform.ts'
import { routedTo } from './look.ts'
import type { Turn } from './turn.ts'

/**
 * Without surge, what was given up but still serves everything makes room for the first instance that takes over from it:
 * it shrinks until there are fewer than `most`. Answers `must-go` where it can't shrink because its release can never be
 * loaded again.
 */
export function makeRoom(
  turn: Turn,
  resource: ComputeResource,
  others: readonly Digest[],
  keep: ReadonlySet<Digest>,
  seen: ComputeObservation,
  most: number,
): 'waits' | 'must-go' {
  const totalOf = (id: Digest) => seen.versions[id]?.total ?? 0
  const there = others.filter((id) => totalOf(id) > 0)
  const [first] = there
  // What serves nothing goes by itself, and makes room enough.
  const goes = (id: Digest) => !routedTo(seen).includes(id) && seen.triggers !== id
  if (first === undefined || there.some((id) => keep.has(id) || goes(id))) return 'waits'
  const record = turn.state.workers[resource.name]?.versions?.[first]
  const made = record && turn.targets?.loaded.get(record.target.digest)
  const own = computeOf(made, resource.name)
  if (!made || !own) {
    const problem = record && turn.targets?.problems.get(record.target.digest)
    return problem?.retryable === false ? 'must-go' : 'waits'
  }
  const tooMany = there.reduce((sum, id) => sum + totalOf(id), 0) - (most - 1)
  const instances = Math.max(0, totalOf(first) - tooMany)
  if (instances < (seen.versions[first]?.desired ?? 0)) {
    turn.operate({ kind: 'version', resource: own, target: made.target, version: first, instances })
  }
  return 'waits'
}
