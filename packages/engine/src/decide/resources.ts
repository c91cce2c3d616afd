import { dependenciesOf, type Resource } from '@landfall/stack'
import { isCompute } from '../plan/compute.ts'
import { plan } from '../plan/plan.ts'
import type { LoadedTarget } from '../plan/targets.ts'
import type { Turn } from './turn.ts'

/**
 * Brings everything that is live and not compute (queue settings, secrets, manifests) to what a target says, in the order of
 * dependencies. Answers whether all of it is there.
 */
export function ensureResources(turn: Turn, target: LoadedTarget): boolean {
  let all = true
  for (const operation of plan(target, turn.state)) {
    if (operation.action !== 'create' && operation.action !== 'update') continue
    if (isCompute(operation.resource)) continue
    all = false
    if (!operation.after.every((name) => isReady(turn, name))) continue
    if (isWithoutValue(operation.resource, target)) {
      turn.waitsFor.push({
        code: 'SECRET_NOT_PROVIDED',
        message: `The secret ${operation.resource.name} has no value yet`,
      })
      continue
    }
    turn.operate({ kind: 'ensure', resource: operation.resource, target: target.target, applied: operation.applied })
  }
  return all
}

/** A generated secret is the platform's own: it makes the value, and nobody gives one. */
function isWithoutValue(resource: Resource, target: LoadedTarget): boolean {
  return resource.type === 'secret' && resource.providedBy !== 'generated' && !target.config.secrets[resource.name]
}

function isReady(turn: Turn, name: string): boolean {
  const phase = turn.state.resources[name]?.phase
  return phase === 'ready' || phase === 'degraded'
}

/**
 * Removes live resources that neither the target nor one of `keep` knows any more, users before what they use. Frozen ones
 * that left the stack stay until the deployment is destroyed: an update never deletes a customer's data. Answers whether
 * nothing is left to remove.
 */
export function removeLeftovers(turn: Turn, target: LoadedTarget | null, keep: readonly LoadedTarget[]): boolean {
  const known = new Set(
    [target, ...keep].flatMap((one) => one?.release.manifest.resources.map(({ name }) => name) ?? []),
  )
  const leftovers = Object.values(turn.state.resources)
    .filter((resource) => resource.lifecycle === 'live' && !known.has(resource.name) && resource.phase !== 'deleted')
    .flatMap((resource) => (resource.spec ? [resource.spec] : []))
  for (const spec of removable(leftovers))
    turn.operate({ kind: 'remove', resource: spec, target: target?.target ?? null })
  return leftovers.length === 0
}

/** Those that none of the others uses: deletion goes against the order of dependencies. */
export function removable(specs: readonly Resource[]): Resource[] {
  const used = new Set(specs.flatMap((spec) => dependenciesOf(spec).filter((name) => name !== spec.name)))
  const free = specs.filter((spec) => !used.has(spec.name))
  // Workers that call each other in a circle must not keep each other alive.
  return free.length > 0 ? free : [...specs]
}
