import type { Plan } from '../machine/types.ts'

/** How many instances may exist above `desired`, and how many may be missing below it. */
export interface Budget {
  surge: number
  unavailable: number
}

function count(value: number | `${number}%`, desired: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value
  return round((Number.parseFloat(value) * desired) / 100)
}

/**
 * Percent of surge rounds up and of unavailable down, as Kubernetes does. Both zero would allow no move at all: then one
 * instance of surge is used.
 */
export function budget(plan: Pick<Plan, 'maxSurge' | 'maxUnavailable'>, desired: number): Budget {
  const surge = count(plan.maxSurge, desired, Math.ceil)
  const unavailable = Math.min(desired, count(plan.maxUnavailable, desired, Math.floor))
  return surge === 0 && unavailable === 0 ? { surge: 1, unavailable } : { surge, unavailable }
}

/** Whether two versions can run side by side at all; if not, every step is the whole. */
export function sideBySide(plan: Pick<Plan, 'maxSurge' | 'maxUnavailable'>, desired: number): boolean {
  return desired + budget(plan, desired).surge >= 2
}

/** Instances of each version that a share asks for. */
export interface Split {
  candidate: number
  stable: number
}

/**
 * Instances for `share` percent. With a router, the candidate gets what its share needs (without surge, what leaves one
 * of stable: `maxUnavailable` allows the rest to be missing) and stable stays as large as the
 * surge allows: it must be able to take everything back. By replica ratio, the pair nearest to the share (ties up).
 */
export function split(plan: Plan, desired: number, share: number): Split {
  const { surge } = budget(plan, desired)
  if (desired === 0) return { candidate: 0, stable: 0 }
  if (plan.strategy === 'blue-green') return { candidate: desired, stable: Math.min(desired, surge) }
  if (share <= 0) return { candidate: 0, stable: desired }
  if (share >= 100) return { candidate: desired, stable: Math.min(desired, surge) }
  if (plan.routing === 'replicas') return nearestRatio(desired, surge, share)
  const room = desired + surge - 1
  const candidate = Math.max(1, Math.min(room, Math.ceil((desired * share) / 100 - 1e-9)))
  return { candidate, stable: Math.max(1, Math.min(desired, desired + surge - candidate)) }
}

/** The pair of instance counts whose ratio is nearest to `share`; never 0 of either for a share strictly between 0 and 100. */
export function nearestRatio(desired: number, surge: number, share: number): Split {
  let best: Split = { candidate: 1, stable: Math.max(1, desired) }
  let bestError = Number.POSITIVE_INFINITY
  for (let total = Math.max(2, desired); total <= Math.max(2, desired + surge); total++) {
    for (let candidate = 1; candidate < total; candidate++) {
      const stable = total - candidate
      if (stable > desired || candidate > desired) continue
      const error = Math.abs((100 * candidate) / total - share)
      if (
        error < bestError - 1e-9 ||
        (Math.abs(error - bestError) <= 1e-9 && trueShare({ candidate, stable }) > trueShare(best))
      ) {
        best = { candidate, stable }
        bestError = error
      }
    }
  }
  return best
}

/** Percent that a pair of instance counts serves when each instance gets the same. Two decimals. */
export function trueShare({ candidate, stable }: Split): number {
  const total = candidate + stable
  return total === 0 ? 0 : Math.round((10_000 * candidate) / total) / 100
}

/** Percent of a step as it will really be served. */
export function attainable(plan: Plan, desired: number, share: number): number {
  if (share <= 0 || share >= 100) return Math.max(0, Math.min(100, share))
  if (desired === 0) return share
  if (!sideBySide(plan, desired)) return 100
  return plan.routing === 'replicas' ? trueShare(split(plan, desired, share)) : share
}
