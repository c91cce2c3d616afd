import { type ComputeResource, type Digest, dependenciesOf, digestOf, type EnvironmentValue } from '@landfall/stack'
import type { ResolvedConfig } from '../ports/desired.ts'

/**
 * Id of a worker's version: a digest over all that it sees at run time. Code, environment with its inputs resolved, versions
 * of its secrets, addresses bound from outside, triggers, health, limits. Not: its rollout plan, its scale, its description.
 * The same id means that there is nothing to roll out.
 */
export function versionId(resource: ComputeResource, config: ResolvedConfig): Digest {
  const { rollout: _rollout, scale: _scale, description: _description, lifecycle: _lifecycle, ...seen } = resource
  const env = Object.fromEntries(
    Object.entries(resource.env).map(([name, value]) => [name, resolved(value, config)] as const),
  )
  const used = dependenciesOf(resource)
  const secrets = used.flatMap((name) => {
    const secret = config.secrets[name]
    return secret === undefined ? [] : [[name, secret.version] as const]
  })
  const bindings = used.flatMap((name) => (name in config.bindings ? [[name, config.bindings[name]] as const] : []))
  return digestOf({ ...seen, env, secrets: Object.fromEntries(secrets), bindings: Object.fromEntries(bindings) })
}

function resolved(value: EnvironmentValue, config: ResolvedConfig): unknown {
  if (typeof value === 'string' || 'secret' in value) return value
  return { input: value.input, value: config.inputs[value.input] ?? null }
}
