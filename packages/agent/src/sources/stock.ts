import type { Verifier } from '@landfall/engine'
import { type Digest, LandfallError, type Manifest } from '@landfall/stack'
import type { AgentBlobs } from './blobs.ts'

/**
 * A verifier that lets a new release begin only once everything it needs is at the site: from then on nobody has to be reached, so that
 * a rollout goes on, and back, whoever is away. What is missing is fetched beside the engine, which goes on with what it has.
 *
 * @param accepted a release that ran here is not asked for again
 * @param onReady something that was missing has come, or could not be had now
 */
export function stocked(
  verifier: Verifier,
  options: {
    blobs: AgentBlobs
    accepted: (release: Digest, deployment: string) => boolean
    onReady: (deployment: string) => void
  },
): Verifier & { settled(): Promise<void> } {
  const { blobs, accepted, onReady } = options
  const failures = new Map<Digest, LandfallError>()
  let fetching: Promise<void> | null = null

  const fetch = async (digests: readonly Digest[]) => {
    for (const digest of digests) {
      try {
        await blobs.ensure(digest)
        failures.delete(digest)
      } catch (error) {
        if (LandfallError.is(error)) failures.set(digest, error)
      }
    }
  }

  return {
    async load(release, trust, deployment) {
      const proved = await verifier.load(release, trust, deployment)
      if (accepted(release, deployment.id)) return proved
      const missing: Digest[] = []
      for (const digest of artifactsOf(proved.manifest)) if (!(await blobs.has(digest))) missing.push(digest)
      if (missing.length === 0) return proved
      const failed = missing.map((digest) => failures.get(digest)).find((error) => error !== undefined)
      fetching ??= fetch(missing).finally(() => {
        fetching = null
        onReady(deployment.id)
      })
      throw new LandfallError({
        code: 'E_RELEASE_LOADING',
        message: `Release ${proved.version} is being brought to this site${failed ? `: ${failed.message}` : ''}`,
        hint: failed?.hint ?? 'Nothing is to be done: it begins when all of it is here.',
        retryable: true,
      })
    },
    settled: async () => {
      await fetching
    },
  }
}

function artifactsOf(manifest: Manifest): Digest[] {
  return manifest.resources.flatMap((resource) => {
    if (resource.type !== 'worker' && resource.type !== 'container') return []
    return resource.code.kind === 'artifact' ? [resource.code.digest as Digest] : []
  })
}
