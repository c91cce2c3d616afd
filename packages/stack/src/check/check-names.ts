import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { PlatformName } from '../manifest/names.ts'
import { computeOf } from './compute-of.ts'

/** Everything that is made is named `<prefix>-<resource>`; prefixes of deployments are not longer than this. */
export const maxPrefixLength = 12

/** Longest name of a service: Cloud Run allows 49 characters, Container Apps 32. The others allow what our names can have. */
const longestService: Partial<Record<PlatformName, number>> = { gcp: 49, azure: 32 }

export function checkNames(manifest: Manifest): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const { name } of manifest.resources) {
    if (seen.has(name)) problems.push({ path: `resources.${name}`, message: 'is defined twice: rename one of them' })
    seen.add(name)
  }
  const owners = new Map<string, string>()
  for (const compute of computeOf(manifest)) {
    for (const command of Object.keys(compute.commands)) {
      const owner = owners.get(command)
      if (owner !== undefined) {
        const message = `is a command of "${owner}" too, and commands are called by name: rename one of them`
        problems.push({ path: `resources.${compute.name}.commands.${command}`, message })
      }
      owners.set(command, owner ?? compute.name)
    }
    for (const platform of manifest.platforms) {
      const allowed = (longestService[platform] ?? 64) - maxPrefixLength - 1
      if (compute.name.length > allowed) {
        const message = `is too long for ${platform}, where a ${compute.type}'s name has at most ${allowed} characters beside the deployment's prefix: shorten it, or leave ${platform} out of platforms`
        problems.push({ path: `resources.${compute.name}.name`, message })
      }
    }
  }
  return problems
}
