import { type Digest, digestOf, type Resource } from '@landfall/stack'
import type { ResolvedConfig } from '../ports/desired.ts'

/** What a resource that is not compute is to be brought to: its definition, its address from outside, its secret's version. */
export function resourceDigest(resource: Resource, config: ResolvedConfig): Digest {
  const { description: _description, ...spec } = resource
  return digestOf({
    spec,
    secret: resource.type === 'secret' ? (config.secrets[resource.name]?.version ?? null) : null,
    binding: config.bindings[resource.name] ?? null,
  })
}
