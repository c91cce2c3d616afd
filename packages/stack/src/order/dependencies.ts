import type { Resource } from '../manifest/resources.ts'

/** Names of the resources that must be there before this one: what it uses, listens to, and takes variables from. Sorted. */
export function dependenciesOf(resource: Resource): string[] {
  if (resource.type !== 'worker' && resource.type !== 'container') return []
  const names = new Set(resource.uses.map((grant) => grant.resource))
  for (const value of Object.values(resource.env)) {
    if (typeof value === 'object' && 'secret' in value) names.add(value.secret)
  }
  if (resource.type === 'worker') {
    for (const trigger of resource.triggers) {
      if (trigger.kind === 'queue') names.add(trigger.queue)
      if (trigger.kind === 'storage') names.add(trigger.storage)
    }
  }
  return [...names].sort()
}
