import { type BundleStore, type Envelope, envelopeSchema } from '@landfall/release'
import { type Digest, LandfallError } from '@landfall/stack'
import type { AgentState } from '../state/agent-state.ts'
import type { Upstream } from './upstream.ts'

/** Signed envelopes of releases. None is proved here: the verifier does that each time. */
export interface Releases {
  /** @throws LandfallError `E_RELEASE_UNKNOWN` (retryable: it may still come) and those of the way to the manager */
  envelope(digest: Digest): Promise<Envelope>
  /** What is here, without asking anybody. */
  known(digest: Digest): Promise<Envelope | null>
  /** Drops cached envelopes that are not among these. */
  keepOnly(digests: ReadonlySet<Digest>): void
}

const nameOf = (digest: Digest) => `release/${digest}`

export function createReleases(state: AgentState, bundles: BundleStore, upstream: Upstream | null): Releases {
  const cached = (digest: Digest) => {
    const found = state.get(nameOf(digest))
    return found === undefined ? null : envelopeSchema.parse(found)
  }
  const known = async (digest: Digest) => cached(digest) ?? (await bundles.release(digest))
  return {
    known,
    async envelope(digest) {
      const here = await known(digest)
      if (here) return here
      const fetched = await upstream?.release(digest)
      if (fetched) {
        state.put(nameOf(digest), fetched)
        return fetched
      }
      throw new LandfallError({
        code: 'E_RELEASE_UNKNOWN',
        message: `The release ${digest} is not at this site yet.`,
        hint: upstream
          ? 'The manager does not have it for this deployment; it is asked for again.'
          : 'Import a bundle that holds it.',
        retryable: true,
      })
    },
    keepOnly(digests) {
      for (const name of state.names('release/')) {
        if (!digests.has(name.slice('release/'.length) as Digest)) state.delete(name)
      }
    },
  }
}
