import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { accessKinds } from '../manifest/resources.ts'
import type { Types } from './check-manifest.ts'
import { computeOf } from './compute-of.ts'

export function checkGrants(manifest: Manifest, types: Types): Problem[] {
  const problems: Problem[] = []
  for (const compute of computeOf(manifest)) {
    const seen = new Set<string>()
    for (const [i, grant] of compute.uses.entries()) {
      const path = `resources.${compute.name}.uses[${i}]`
      const type = types.get(grant.resource)
      if (seen.has(grant.resource)) problems.push({ path, message: `grants "${grant.resource}" again: merge the two` })
      seen.add(grant.resource)
      if (type === undefined) {
        const message = `uses "${grant.resource}", which is not in the stack: add it to resources`
        problems.push({ path, message })
        continue
      }
      if (grant.resource === compute.name) problems.push({ path, message: 'grants it to itself: remove it' })
      const possible: readonly string[] = type in accessKinds ? accessKinds[type as keyof typeof accessKinds] : []
      for (const kind of grant.access) {
        if (possible.includes(kind)) continue
        const instead = possible.length === 0 ? 'nothing can be granted on it' : `it has ${possible.join(' and ')}`
        problems.push({ path, message: `grants "${kind}" on "${grant.resource}", but it is a ${type}: ${instead}` })
      }
    }
  }
  return problems
}
