import type { Problem } from '../errors/landfall-error.ts'
import { problemsOf } from '../errors/problems-of.ts'
import { type Manifest, manifest as manifestSchema } from '../manifest/manifest.ts'
import { type ResourceType, resourceTypes } from '../manifest/names.ts'
import { resource as resourceSchema } from '../manifest/resources.ts'
import { checkManifest } from './check-manifest.ts'

export interface Checked {
  /** Set only when there are no problems. */
  manifest?: Manifest
  problems: Problem[]
}

/**
 * Checks a value against the manifest's schema and its meaning, and collects all problems. Resources with a wrong form do
 * not hide what is wrong with the meaning of the others.
 */
export function checkRaw(raw: Readonly<Record<string, unknown>>): Checked {
  const result = manifestSchema.safeParse(raw)
  const list: unknown[] = Array.isArray(raw.resources) ? raw.resources : []
  if (result.success) {
    const problems = checkManifest(result.data, typesOf(list))
    return problems.length === 0 ? { manifest: result.data, problems } : { problems }
  }
  const problems = problemsOf(result.error, raw)
  const head = manifestSchema.safeParse({ ...raw, resources: [] })
  if (head.success) {
    const resources = list.flatMap((one) => {
      const parsed = resourceSchema.safeParse(one)
      return parsed.success ? [parsed.data] : []
    })
    problems.push(...checkManifest({ ...head.data, resources }, typesOf(list)))
  }
  return { problems }
}

/** Type by name of every resource, also of those whose form is wrong. */
function typesOf(list: readonly unknown[]): ReadonlyMap<string, ResourceType> {
  const types = new Map<string, ResourceType>()
  for (const one of list) {
    if (one === null || typeof one !== 'object' || !('name' in one) || !('type' in one)) continue
    const type = resourceTypes.find((known) => known === one.type)
    if (typeof one.name === 'string' && type) types.set(one.name, type)
  }
  return types
}
