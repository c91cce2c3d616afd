import type { DeploymentState } from '@landfall/engine'
import { compilePlan } from '@landfall/rollout'
import { computeOf, type Manifest } from '@landfall/stack'

export interface AskedGate {
  /** `<worker>/<id>`. */
  gate: string
  worker: string
  /** Milliseconds since the epoch. */
  since: number
}

/** The approval gates at which workers of the candidate wait now. `manifest` is the candidate's. */
export function askedGates(state: DeploymentState, manifest: Manifest): AskedGate[] {
  return computeOf(manifest).flatMap((resource) => {
    const worker = state.workers[resource.name]
    const rollout = worker?.candidate ? worker.rollout : null
    if (!resource.rollout || rollout?.phase !== 'paused' || rollout.pause?.kind !== 'gate') return []
    const { since } = rollout.pause
    // Ids stand for places in the plan: they do not depend on how many workers and instances there are.
    const plan = compilePlan(resource.rollout, { workers: 1, routing: 'weighted', instances: resource.scale })
    const gates =
      rollout.pausedFrom === 'promoting' ? plan.prePromotion : (plan.steps[Math.max(0, rollout.step)]?.gates ?? [])
    return gates
      .filter(({ kind }) => kind === 'approval')
      .map(({ id }) => ({ gate: `${resource.name}/${id}`, worker: resource.name, since }))
  })
}
