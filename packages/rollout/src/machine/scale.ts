import { budget, sideBySide, split } from '../plan/capacity.ts'
import type { Look } from './draft.ts'
import type { VersionObservation } from './types.ts'

/** Instances that exist or were asked for: what counts against the surge. */
const existing = (version: VersionObservation | null): number => Math.max(version?.total ?? 0, version?.desired ?? 0)

/** The share as it will be served: everything at once where two versions do not fit beside each other. */
export function servable(look: Look, share: number): number {
  const { plan, seen } = look
  return share > 0 && seen.desired > 0 && !sideBySide(plan, seen.desired) ? 100 : share
}

/**
 * The share to ask for on the way to `goal`. It rises only to what the candidate's healthy instances can carry; where the
 * surge does not allow the whole at once, it rises in between, so that stable can make room. A candidate with nothing
 * healthy serves nothing, as long as stable can.
 */
export function ask(look: Look, goal: number): void {
  const { draft, plan, seen } = look
  const n = seen.desired
  const available = seen.candidate?.available ?? 0
  const need = split(plan, n, goal).candidate
  if (n > 0 && available === 0) {
    if ((seen.stable?.available ?? 0) > 0 || draft.stable === null) draft.asked = 0
    return
  }
  if (seen.candidate === null && goal > 0) return
  if (available >= need || goal <= draft.asked) {
    draft.asked = goal
    return
  }
  if (plan.routing === 'replicas') return
  const carried = Math.min(goal, Math.floor((100 * available) / n))
  if (carried > draft.asked && blocked(look, need)) draft.asked = carried
}

/**
 * Instances of stable that its traffic needs while the candidate serves `share`. One point of slack, because routers
 * round: without it a ramp of one instance in six could wait for ever for the last third of a point.
 */
function carrying(n: number, share: number): number {
  return share <= 0 ? n : Math.max(0, Math.ceil((n * (99 - share)) / 100 - 1e-9))
}

/** The candidate cannot grow before stable shrinks, and stable not before some of its traffic moved. */
function blocked({ draft, plan, seen }: Look, need: number): boolean {
  if (draft.stable === null) return false
  const { surge, unavailable } = budget(plan, seen.desired)
  const floor = Math.max(1, carrying(seen.desired, draft.asked) - unavailable)
  return need > seen.desired + surge - Math.min(existing(seen.stable), floor)
}

/**
 * Wanted instances on the way to `goal`, within the budget at every moment: what grows waits for room, what shrinks waits
 * until the other carries. Unhealthy instances of stable give way like healthy ones: a bad stable blocks nothing.
 */
export function scaleToward(look: Look, goal: number): void {
  const { plan, seen, draft } = look
  const n = seen.desired
  const { surge, unavailable } = budget(plan, n)
  const want = split(plan, n, goal)
  if (draft.stable === null) {
    scale(look, 'candidate', n)
    return
  }
  const candidateNow = existing(seen.candidate)
  const stableNow = existing(seen.stable)
  const available = seen.candidate?.available ?? 0
  const least = Math.min(seen.served, draft.asked)
  const carries = plan.routing === 'weighted' && sideBySide(plan, n) ? carrying(n, least) : 0
  const floor = Math.max(carries, n - available) - unavailable
  let stable = Math.min(n, Math.max(want.stable, floor, 0))
  if (!sideBySide(plan, n) && goal > 0) stable = 0
  if (stable > stableNow) stable = Math.max(stableNow, Math.min(stable, n + surge - candidateNow))
  const room = Math.max(0, n + surge - Math.max(stableNow, stable))
  const grown = Math.max(candidateNow, Math.min(want.candidate, room))
  const missed = Math.min(available, n - unavailable - (seen.stable?.available ?? 0))
  const candidate = want.candidate > candidateNow ? grown : Math.min(candidateNow, Math.max(want.candidate, missed))
  scale(look, 'stable', stable)
  scale(look, 'candidate', candidate)
}

/**
 * Back to stable: it grows into all the room there is. The candidate keeps what serves, makes room as soon as it serves
 * nothing, and is gone when stable is whole.
 */
export function scaleBack(look: Look, keep: boolean): void {
  const { plan, seen, draft } = look
  const n = seen.desired
  const { surge, unavailable } = budget(plan, n)
  const candidateNow = existing(seen.candidate)
  const stableNow = existing(seen.stable)
  if (draft.stable !== null)
    scale(look, 'stable', Math.max(Math.min(n, stableNow), Math.min(n, n + surge - candidateNow)))
  if (!seen.candidate) return
  const healthy = seen.stable?.available ?? 0
  const room = n + surge - (draft.stable === null ? 0 : n)
  const missing = draft.stable === null ? 0 : Math.max(0, n - unavailable - healthy)
  const whole = missing === 0 ? 0 : Math.min(seen.candidate.available, missing)
  const serving =
    seen.served > 0.001 ? (healthy > 0 ? candidateNow : Math.max(0, n + surge - Math.max(1, stableNow))) : 0
  const least = Math.max(serving, whole, keep ? room : 0)
  scale(look, 'candidate', Math.min(seen.candidate.desired, least))
}

function scale(look: Look, version: 'stable' | 'candidate', instances: number): void {
  const seen = look.seen[version]
  if (seen?.desired !== instances) look.actions.push({ kind: 'scale', version, instances })
}

/** Whether `share` is really served, with the capacity it needs. */
export function isReached(look: Look, share: number): boolean {
  const { draft, plan, seen } = look
  const want = split(plan, seen.desired, share)
  if ((seen.candidate?.available ?? 0) < want.candidate || seen.candidate === null) return false
  if (draft.asked !== share) return false
  const byRatio = plan.routing === 'replicas' && share > 0 && share < 100 && sideBySide(plan, seen.desired)
  if (byRatio) return seen.served > 0 && existing(seen.stable) <= want.stable
  if (share === 0) return seen.served <= 0.001
  if (share === 100) return seen.served >= 99.99
  // Where nothing of stable can answer, the router sends its part to the candidate as well, whatever it was asked.
  const alone = (seen.stable?.available ?? 0) === 0 && seen.served > share
  return alone || Math.abs(seen.served - share) <= 0.5
}
