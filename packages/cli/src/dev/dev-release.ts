import { join } from 'node:path'
import {
  buildRelease,
  createRootKey,
  createSigningKey,
  createStatement,
  createVerifier,
  keysetEntry,
  layoutReader,
  loadConfig,
  type ReleaseEnvelope,
  releaseDigest,
  signKeyset,
  signRelease,
} from '@landfall/release'
import { type Digest, digestOf, LandfallError, type Manifest } from '@landfall/stack'

/** A release made from what is saved now, signed by a key that lives as long as this `dev`. */
export interface DevRelease {
  digest: Digest
  version: string
  manifest: Manifest
  artifacts: Digest
}

/** Builds and signs; the same road as a real release, with keys of its own and without the plan's patience. */
export async function createReleaser(directory: string) {
  const root = createRootKey()
  const vendor = createSigningKey('vendor')
  const envelopes = new Map<Digest, ReleaseEnvelope>()
  let layout = ''
  let sequence = Date.now()
  let keyset: Awaited<ReturnType<typeof signKeyset>> | null = null
  return {
    async make(number: number): Promise<DevRelease> {
      const loaded = await loadConfig(directory)
      const manifest = impatient(loaded.manifest)
      if (!manifest.platforms.includes('local')) {
        throw new LandfallError({
          code: 'E_DEV_PLATFORM',
          message: `The stack does not name the platform local; \`dev\` runs there.`,
          hint: "Add 'local' to `platforms` in landfall.config.ts.",
        })
      }
      keyset ??= await signKeyset(
        {
          project: manifest.project,
          version: 1,
          expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
          keys: [keysetEntry('vendor', vendor)],
        },
        root,
      )
      const version = `dev-${number}`
      const built = await buildRelease({
        dir: loaded.dir,
        manifest,
        version,
        out: join(loaded.dir, '.landfall', 'dev', 'layout'),
      })
      layout = built.layoutDir
      const envelope = await signRelease(
        createStatement({ ...built, version, channel: 'dev', sequence: ++sequence, now: Date.now() }),
        vendor,
      )
      const digest = releaseDigest(envelope)
      envelopes.set(digest, envelope)
      return { digest, version, manifest: built.manifest, artifacts: digestOf(built.manifest) }
    },
    verifier: createVerifier({
      envelopes: async (digest) => envelopes.get(digest) ?? null,
      keyset: async () => keyset ?? never(),
      root: async () => root,
      clock: { now: Date.now },
    }),
    blobs: { read: (digest: Digest) => layoutReader(layout)(digest) },
  }
}

function never(): never {
  throw new RangeError('nothing was released yet')
}

/** Without rollout plans: what is saved serves as soon as it is healthy. Health is asked more often. */
function impatient(manifest: Manifest): Manifest {
  return {
    ...manifest,
    resources: manifest.resources.map((resource) => {
      if (resource.type !== 'worker' && resource.type !== 'container') return resource
      const { rollout: _, ...rest } = resource
      return { ...rest, scale: 1, gracePeriod: '1s', health: { ...rest.health, interval: '500ms' } }
    }) as Manifest['resources'],
  }
}
