import { type Digest, digestOf, LandfallError, type Manifest } from '@landfall/stack'
import type { ResolvedConfig, Target, VerifiedRelease } from '../ports/desired.ts'
import type { BlobSource, ConfigSource, GateRunner, MetricSource, Verifier } from '../ports/sources.ts'

/** Releases and configs in memory; what is not in it does not verify. */
export class MemorySources implements Verifier {
  readonly releases = new Map<Digest, VerifiedRelease>()
  readonly configs = new Map<Digest, ResolvedConfig>()
  /** Releases that are refused, as a tampered one would be. */
  readonly refused = new Set<Digest>()
  readonly config: ConfigSource = {
    load: async (digest) => this.configs.get(digest) ?? this.#unknown(`config ${digest}`),
  }
  readonly blobs: BlobSource = { read: async (digest) => this.#unknown(`blob ${digest}`) }
  readonly metrics: MetricSource = { read: async () => null }
  gates: GateRunner = { ask: async () => ({ status: 'pass' }) }

  /** Adds a release and answers its target, with the given config. */
  release(version: string, sequence: number, manifest: Manifest, config: Partial<ResolvedConfig> = {}): Target {
    const release = digestOf({ version, manifest })
    const resolved = { inputs: {}, secrets: {}, bindings: {}, ...config }
    const digest = digestOf(resolved)
    this.releases.set(release, { digest: release, version, sequence, manifest })
    this.configs.set(digest, { openSecret: async (name) => `value of ${name}`, ...resolved, digest })
    return { release, config: digest, digest: digestOf({ release, config: digest }) }
  }

  async load(release: Digest): Promise<VerifiedRelease> {
    if (this.refused.has(release)) {
      throw new LandfallError({
        code: 'E_SIGNATURE',
        message: 'The release is not signed by a key that this deployment trusts',
        hint: 'Sign it with a trusted key.',
      })
    }
    return this.releases.get(release) ?? this.#unknown(`release ${release}`)
  }

  #unknown(what: string): never {
    throw new LandfallError({ code: 'E_UNKNOWN', message: `There is no ${what}`, hint: 'Add it to the sources first.' })
  }
}
