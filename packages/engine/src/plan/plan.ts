import { type Digest, dependenciesOf, dependencyOrder, type Resource } from '@landfall/stack'
import type { DeploymentState } from '../state/deployment-state.ts'
import { isCompute } from './compute.ts'
import { resourceDigest } from './resource-digest.ts'
import type { LoadedTarget } from './targets.ts'

export interface PlannedOperation {
  /** `roll-out`: a live worker's version changes. `remove`: live, and no longer in the stack. */
  action: 'create' | 'update' | 'roll-out' | 'remove'
  resource: Resource
  /** What it is brought to: the digest of its definition and config, or the version's id. */
  applied: Digest
  /** Names that must be ready before; for a removal, gone before. */
  after: readonly string[]
}

/**
 * The difference between what was applied and a target, in the order in which it is worked off. Pure. A frozen resource is
 * never in it: those are made by the setup alone (`planSetup`), so after setup their plan is always empty. Shown to people
 * before an update, and what the loop itself works from.
 */
export function plan(target: LoadedTarget, state: DeploymentState): PlannedOperation[] {
  const manifest = target.release.manifest
  const byName = new Map(manifest.resources.map((resource) => [resource.name, resource]))
  const operations: PlannedOperation[] = []
  for (const name of dependencyOrder(manifest).flat()) {
    const resource = byName.get(name)
    if (resource?.lifecycle !== 'live') continue
    const operation = isCompute(resource) ? rollOut(resource, target, state) : change(resource, target, state)
    if (operation) operations.push(operation)
  }
  const gone = Object.values(state.resources).filter(
    (one) => one.lifecycle === 'live' && one.phase !== 'deleted' && !byName.has(one.name),
  )
  for (const one of gone) {
    if (!one.spec) continue
    const after = gone
      .filter((other) => other.spec && dependenciesOf(other.spec).includes(one.name))
      .map((other) => other.name)
    operations.push({ action: 'remove', resource: one.spec, applied: one.applied ?? '', after: after.sort() })
  }
  return operations
}

/** What the approved setup has still to make: frozen resources alone, and only those whose definition differs. */
export function planSetup(
  setup: readonly Resource[],
  target: LoadedTarget,
  state: DeploymentState,
): PlannedOperation[] {
  const byName = new Map(setup.map((resource) => [resource.name, resource]))
  return dependencyOrder({ resources: [...setup] })
    .flat()
    .flatMap((name) => {
      const resource = byName.get(name)
      if (resource?.lifecycle !== 'frozen' || isCompute(resource)) return []
      return change(resource, target, state) ?? []
    })
}

function change(resource: Resource, target: LoadedTarget, state: DeploymentState): PlannedOperation | null {
  const before = state.resources[resource.name]
  const applied = resourceDigest(resource, target.config)
  // Anything else, a failed or half-made change included, is brought there again.
  if (before?.applied === applied && (before.phase === 'ready' || before.phase === 'degraded')) return null
  const action = before?.applied ? 'update' : 'create'
  return { action, resource, applied, after: dependenciesOf(resource) }
}

function rollOut(resource: Resource, target: LoadedTarget, state: DeploymentState): PlannedOperation | null {
  const applied = target.versions[resource.name]
  const stable = state.workers[resource.name]?.stable ?? null
  if (!applied || stable === applied) return null
  return { action: stable ? 'roll-out' : 'create', resource, applied, after: dependenciesOf(resource) }
}
