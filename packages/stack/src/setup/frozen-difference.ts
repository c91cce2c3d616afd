import { canonicalJson } from '../canonical/canonical.ts'
import { computeOf } from '../check/compute-of.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { ComputeResource, Resource } from '../manifest/resources.ts'

/** One thing that setup fixed and a release needs otherwise. */
export interface FrozenDifference {
  kind: 'resource' | 'lifecycle' | 'role' | 'grant' | 'permission' | 'binding'
  /** Path in the manifest, such as `resources.uploads`. */
  path: string
  /** A sentence for the customer: what is new, and why it takes a setup. */
  message: string
}

/**
 * What `to` needs that the setup made for `from` did not give: new or changed frozen resources, roles, grants, permissions of
 * the runner, and bindings. Anything in it makes a deployment wait in `needs-setup`. What `to` no longer needs is not in it:
 * a setup that gives more holds nothing back, and going back to an older release never needs one.
 */
export function frozenDifference(from: Manifest, to: Manifest): FrozenDifference[] {
  const before = new Map(from.resources.map((one) => [one.name, one]))
  return [
    ...to.resources.flatMap((resource) => ofResource(before.get(resource.name), resource)),
    ...computeOf(to).flatMap((compute) => ofRole(before.get(compute.name), compute)),
    ...ofPermissions(from, to),
  ]
}

const isBound = (resource: Resource) => ['storage', 'kv', 'queue', 'postgres'].includes(resource.type)

function ofResource(before: Resource | undefined, resource: Resource): FrozenDifference[] {
  const path = `resources.${resource.name}`
  const label = `The ${resource.type} "${resource.name}"`
  if (!before || before.type !== resource.type) {
    if (resource.lifecycle === 'frozen') {
      return [{ kind: 'resource', path, message: `${label} is new and frozen: it is created at setup.` }]
    }
    if (isBound(resource)) {
      return [{ kind: 'binding', path, message: `${label} is new: on Kubernetes its address is given at setup.` }]
    }
    return []
  }
  if (before.lifecycle !== resource.lifecycle) {
    const message = `${label} was ${before.lifecycle} and becomes ${resource.lifecycle}: who may change it is fixed at setup.`
    return [{ kind: 'lifecycle', path: `${path}.lifecycle`, message }]
  }
  if (resource.lifecycle === 'live') return []
  return changedFields(before, resource).map((field) => ({
    kind: 'resource',
    path: `${path}.${field}`,
    message: `${label} is frozen, and its ${field} changes.`,
  }))
}

/** Fields whose values differ. A description is for people; what a worker may do is compared as its role. */
function changedFields(before: Resource, after: Resource): string[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return fields.filter((field) => {
    if (['description', 'uses', 'triggers'].includes(field)) return false
    const [a, b]: unknown[] = [Reflect.get(before, field), Reflect.get(after, field)]
    return canonicalJson(a ?? null) !== canonicalJson(b ?? null)
  })
}

function ofRole(before: Resource | undefined, compute: ComputeResource): FrozenDifference[] {
  const path = `resources.${compute.name}`
  if (!before || before.type !== compute.type) {
    const message = `The ${compute.type} "${compute.name}" is new: the role it runs under is created at setup.`
    return [{ kind: 'role', path, message }]
  }
  const had = accessOf(before)
  return [...accessOf(compute)].sort().flatMap((one) => {
    if (had.has(one)) return []
    const [name = '', kind = ''] = one.split(' ')
    const message = `The ${compute.type} "${compute.name}" newly needs "${kind}" on "${name}": grants are given at setup.`
    return [{ kind: 'grant', path: `${path}.uses.${name}`, message } satisfies FrozenDifference]
  })
}

/** What a worker's role may do, as `resource access`: by its grants, its triggers and its environment. */
function accessOf(compute: Resource): Set<string> {
  const access = new Set<string>()
  if (compute.type !== 'worker' && compute.type !== 'container') return access
  for (const grant of compute.uses) for (const kind of grant.access) access.add(`${grant.resource} ${kind}`)
  for (const value of Object.values(compute.env)) {
    if (typeof value === 'object' && 'secret' in value) access.add(`${value.secret} read`)
  }
  if (compute.type !== 'worker') return access
  for (const trigger of compute.triggers) {
    if (trigger.kind === 'queue') access.add(`${trigger.queue} receive`)
    if (trigger.kind === 'storage') access.add(`${trigger.storage} notify`)
  }
  return access
}

/** The runner gets a permission per type of live resource, and one for schedules. */
function ofPermissions(from: Manifest, to: Manifest): FrozenDifference[] {
  const managed = (manifest: Manifest) => {
    const types = new Set<string>(manifest.resources.filter((one) => one.lifecycle === 'live').map((one) => one.type))
    const cron = manifest.resources.some(
      (one) => one.type === 'worker' && one.triggers.some((on) => on.kind === 'cron'),
    )
    if (cron) types.add('schedule')
    return types
  }
  const had = managed(from)
  return [...managed(to)].sort().flatMap((type) => {
    if (had.has(type)) return []
    const message = `Landfall newly needs the permission to manage resources of the kind "${type}": permissions are given at setup.`
    return [{ kind: 'permission', path: 'resources', message } satisfies FrozenDifference]
  })
}
