import { createHash } from 'node:crypto'
import type { ConfigSource, ResolvedConfig } from '@landfall/engine'
import { type Digest, digestOf, type Manifest, validateInputs } from '@landfall/stack'

export interface DevValues {
  inputs: Record<string, string>
  secrets: Record<string, string>
}

/** Inputs and secrets of `dev`, as given on the command line; secrets that nobody gave are made up and said so. */
export function createDevConfig(values: DevValues) {
  const known = new Map<Digest, ResolvedConfig>()
  return {
    resolve(manifest: Manifest): { config: ResolvedConfig; madeUp: string[] } {
      const names = manifest.resources.filter((resource) => resource.type === 'secret').map((resource) => resource.name)
      const inputs = validateInputs(manifest, values.inputs)
      const value = (name: string) => values.secrets[name] ?? `dev-${name}`
      const hash = (name: string) => createHash('sha256').update(value(name)).digest()
      const secrets = Object.fromEntries(names.map((name) => [name, { version: 1 + hash(name).readUInt32BE(0) }]))
      const config: ResolvedConfig = {
        digest: digestOf({ inputs, secrets }),
        inputs,
        secrets,
        bindings: {},
        openSecret: async (name) => value(name),
      }
      known.set(config.digest, config)
      return { config, madeUp: names.filter((name) => values.secrets[name] === undefined) }
    },
    source: {
      load: async (digest) => known.get(digest) ?? lost(digest),
    } satisfies ConfigSource,
  }
}

function lost(digest: Digest): never {
  throw new RangeError(`no config ${digest}`)
}
