import type { Verifier } from '@landfall/engine'
import { type Digest, LandfallError, type Manifest } from '@landfall/stack'
import type { AgentBlobs } from './blobs.ts'

/**
 * A verifier that lets a new release begin only once everything it needs is at the site: from then on nobody has to be reached, so that
 * a rollout goes on, and back, whoever is away. What is missing is fetched beside the engine, which goes on with what it has.
 *
 * @param accepted a release that ran here is not asked for again
 * @param onReady all that was missing has come; where it has not, the engine asks again by itself
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
  /** What is missing of each release, in the order in which it was asked for. */
  const wanted = new Map<Digest, { digests: readonly Digest[]; deployment: string }>()
  let fetching: Promise<void> | null = null
  let next = Promise.withResolvers<void>()

  const ensure = async (digests: readonly Digest[]): Promise<boolean> => {
    for (const digest of digests) {
      try {
        await blobs.ensure(digest)
        failures.delete(digest)
      } catch (error) {
        failures.set(digest, LandfallError.is(error) ? error : unexpected(error))
        return false
      }
    }
    return true
  }

  /** One release after the other, those too that are asked for meanwhile. */
  const fetchWanted = async () => {
    for (const [release, { digests, deployment }] of wanted) {
      const come = await ensure(digests)
      wanted.delete(release)
      if (!come) continue
      next.resolve()
      next = Promise.withResolvers()
      try {
        onReady(deployment)
      } catch {
        // A wake-up that could not be written, on a full disk: the engine asks again by itself.
      }
    }
    // At once: whoever asks from here on begins anew, and who waits for one that did not come is let go.
    fetching = null
    next = Promise.withResolvers()
  }

  return {
    async load(release, trust, deployment) {
      const proved = await verifier.load(release, trust, deployment)
      if (accepted(release, deployment.id)) return proved
      const missing: Digest[] = []
      for (const digest of artifactsOf(proved.manifest)) if (!(await blobs.has(digest))) missing.push(digest)
      if (missing.length === 0) return proved
      const failed = missing.map((digest) => failures.get(digest)).find((error) => error !== undefined)
      if (!wanted.has(release)) wanted.set(release, { digests: missing, deployment: deployment.id })
      fetching ??= fetchWanted()
      throw new LandfallError({
        code: 'E_RELEASE_LOADING',
        message: `Release ${proved.version} is being brought to this site${failed ? `: ${failed.message}` : ''}`,
        hint: failed?.hint ?? 'Nothing is to be done: it begins when all of it is here.',
        retryable: true,
      })
    },
    arriving: () => fetching && next.promise,
    settled: async () => {
      await fetching
    },
  }
}

const unexpected = (cause: unknown) =>
  new LandfallError({
    code: 'E_INTERNAL',
    message: 'it could not be written or read here',
    hint: 'Look at the disk of this machine and at the agent log.',
    retryable: true,
    cause,
  })

function artifactsOf(manifest: Manifest): Digest[] {
  return manifest.resources.flatMap((resource) => {
    if (resource.type !== 'worker' && resource.type !== 'container') return []
    return resource.code.kind === 'artifact' ? [resource.code.digest as Digest] : []
  })
}
