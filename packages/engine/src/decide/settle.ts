import { budget } from '@landfall/rollout'
import type { ComputeResource, Digest } from '@landfall/stack'
import { hasPointedTriggers } from '../plan/compute.ts'
import { computeOf, type LoadedTarget } from '../plan/targets.ts'
import type { ComputeObservation } from '../ports/platform.ts'
import { isShare, look, routedTo, servedBy, weightOf } from './look.ts'
import { compileFor } from './machine.ts'
import { makeRoom } from './make-room.ts'
import type { Turn } from './turn.ts'

/**
 * Brings a worker to rest on one version: its instances, all traffic, the triggers, and nothing else left behind. Level-
 * triggered, so it is the end of a promotion, the whole of a return, the repair of a crash and the clean-up after a kill.
 * `version` null: the worker is to serve nothing (a first deployment that failed). Answers whether it rests.
 */
export function settle(
  turn: Turn,
  resource: ComputeResource,
  version: Digest | null,
  target: LoadedTarget | null,
  keep: ReadonlySet<Digest>,
): boolean {
  const name = resource.name
  const worker = turn.state.workers[name]
  const resting = worker?.rest === version && turn.state.phase !== 'returning' && turn.state.phase !== 'updating'
  const seen = look(turn, resource, target?.target ?? null, resting ? turn.limits.steadyMs : turn.limits.rolloutTickMs)
  if (!seen) return false
  const before = turn.operations.length + turn.waitsFor.length
  const serving =
    version === null ? serveNothing(turn, resource, target, seen) : serve(turn, resource, version, target, seen, keep)
  const clean = removeOthers(turn, resource, version, target, seen, keep)
  const rests = serving && clean && before === turn.operations.length + turn.waitsFor.length
  if (rests && worker?.rest !== version) turn.worker(name, { rest: version })
  return rests
}

function serve(
  turn: Turn,
  resource: ComputeResource,
  version: Digest,
  target: LoadedTarget | null,
  seen: ComputeObservation,
  keep: ReadonlySet<Digest>,
): boolean {
  const own = seen.versions[version]
  const present = own !== undefined && own.total > 0 && own.desired === resource.scale
  const instances = roomFor(turn, resource, version, target, seen)
  if (target && instances > 0 && (own === undefined || own.total === 0 || own.desired !== instances)) {
    turn.operate({ kind: 'version', resource, target: target.target, version, instances })
  }
  if (target && instances === 0 && resource.scale > 0) {
    const others = Object.keys(seen.versions).filter((id) => id !== version && !isLeaving(turn, resource.name, id))
    const way = makeRoom(turn, resource, others, keep, seen, resource.scale + surgeOf(turn, resource, target))
    if (way === 'must-go') serveNothing(turn, resource, target, seen)
  }
  const available = own?.available ?? 0
  const othersServe = Object.entries(seen.versions).some(
    ([id, other]) => id !== version && other.available > 0 && servedBy(seen, id) > 0,
  )
  const set = isShare(weightOf(seen, version), 100)
  const all = set && isShare(servedBy(seen, version), 100)
  // Traffic goes back as soon as there is anything that can carry it; never to something that cannot.
  if (!set && own && own.total > 0 && (available > 0 || !othersServe)) {
    turn.operate({ kind: 'route', resource, target: target?.target ?? null, shares: { [version]: 100 } })
  }
  if (set && seen.triggers !== version && (hasPointedTriggers(resource) || seen.triggers !== null)) {
    turn.operate({ kind: 'triggers', resource, target: target?.target ?? null, version })
  }
  return present && all && available >= Math.min(1, resource.scale)
}

/** Instances it may have now: all, as far as the surge has room beside what is still there. Never fewer than it has. */
function roomFor(
  turn: Turn,
  resource: ComputeResource,
  version: Digest,
  target: LoadedTarget | null,
  seen: ComputeObservation,
): number {
  const others = Object.entries(seen.versions).reduce(
    (sum, [id, other]) => (id === version || isLeaving(turn, resource.name, id) ? sum : sum + other.total),
    0,
  )
  const room = resource.scale + surgeOf(turn, resource, target) - others
  return Math.max(Math.min(resource.scale, seen.versions[version]?.desired ?? 0), Math.min(resource.scale, room))
}

/** Its removal was begun and only waits for the end of its work: it takes no new work, and no room. */
export function isLeaving(turn: Turn, worker: string, version: Digest): boolean {
  const wait = turn.world.waits.get(`remove-version/${worker}/${version}`)
  // One whose removal failed is as it was.
  return wait !== undefined && wait.failed !== true
}

function surgeOf(turn: Turn, resource: ComputeResource, target: LoadedTarget | null): number {
  if (!target || !computeOf(target, resource.name)) return resource.scale
  return budget(compileFor(turn, target, resource.name, 1), resource.scale).surge
}

function serveNothing(
  turn: Turn,
  resource: ComputeResource,
  target: LoadedTarget | null,
  seen: ComputeObservation,
): boolean {
  const serves = routedTo(seen).length > 0
  if (serves) turn.operate({ kind: 'route', resource, target: target?.target ?? null, shares: {} })
  if (seen.triggers !== null) {
    turn.operate({ kind: 'triggers', resource, target: target?.target ?? null, version: null })
  }
  return !serves
}

/** Removes versions that serve nothing and are not kept. Answers whether nothing is left that should go. */
export function removeOthers(
  turn: Turn,
  resource: ComputeResource,
  version: Digest | null,
  target: LoadedTarget | null,
  seen: ComputeObservation,
  keep: ReadonlySet<Digest>,
): boolean {
  const recorded = turn.state.workers[resource.name]?.versions ?? {}
  let clean = true
  for (const id of new Set([...Object.keys(recorded), ...Object.keys(seen.versions)])) {
    if (id === version || keep.has(id)) continue
    const keepUntil = recorded[id]?.keepUntil ?? 0
    // An abandoned version is kept for inspection only where the surge has room for it.
    if (keepUntil > turn.now && (seen.versions[id]?.total ?? 0) <= surgeOf(turn, resource, target)) {
      turn.wake(keepUntil)
      continue
    }
    clean = false
    if (routedTo(seen).includes(id) || seen.triggers === id) continue
    turn.operate({ kind: 'remove-version', resource, target: target?.target ?? null, version: id })
  }
  return clean
}
