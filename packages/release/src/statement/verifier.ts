import { type Digest, LandfallError, type Manifest } from '@landfall/stack'
import type { KeyKind } from '../keys/signing-key.ts'
import type { Keyset, KeysetEnvelope } from '../keyset/keyset.ts'
import type { PinnedRoot } from '../keyset/root-rotation.ts'
import { verifyKeyset } from '../keyset/verify-keyset.ts'
import { releaseDigest } from './sign-release.ts'
import type { ReleaseEnvelope } from './statement.ts'
import { verifyRelease } from './verify-release.ts'

/** As much of a deployment as a verifier needs. */
export interface VerifiedFor {
  readonly id: string
  readonly project: string
}

/** What a runner gets of a release once it is proved. */
export interface ProvenRelease {
  digest: Digest
  version: string
  sequence: number
  manifest: Manifest
}

export interface VerifierOptions {
  /** The envelope of a release; null where it is not known. */
  envelopes: (digest: Digest, deployment: VerifiedFor) => Promise<ReleaseEnvelope | null>
  /** The newest keyset of the project. */
  keyset: (project: string) => Promise<KeysetEnvelope>
  /** The root as it was pinned (and rotated) for the project. */
  root: (project: string) => Promise<Pick<PinnedRoot, 'id' | 'publicKey'>>
  clock: { now(): number }
  /** The highest keyset version seen for a deployment; without it, an older one that has not expired would pass. */
  minKeysetVersion?: (deployment: VerifiedFor) => Promise<number>
  /** Whether the deployment accepted this release before: see `VerifyReleaseOptions.accepted`. */
  accepted?: (digest: Digest, deployment: VerifiedFor) => Promise<boolean>
}

/** The engine's `Verifier` port over DSSE envelopes and a keyset. The sequence floor is the engine's: it knows the approved stable. */
export function createVerifier(options: VerifierOptions): {
  load(release: Digest, trust: readonly KeyKind[], deployment: VerifiedFor): Promise<ProvenRelease>
} {
  return {
    async load(release, trust, deployment) {
      const { project } = deployment
      const envelope = await options.envelopes(release, deployment)
      if (!envelope) {
        throw new LandfallError({
          code: 'E_RELEASE_UNKNOWN',
          message: `There is no release ${release}.`,
          hint: 'Check the digest with `landfall releases`.',
        })
      }
      const accepted = (await options.accepted?.(release, deployment)) ?? false
      const keyset: Keyset = verifyKeyset(await options.keyset(project), {
        root: await options.root(project),
        minVersion: (await options.minKeysetVersion?.(deployment)) ?? 1,
        now: options.clock.now(),
        project,
        allowExpired: accepted,
      })
      const statement = verifyRelease(envelope, {
        keyset,
        trust,
        project,
        now: options.clock.now(),
        digest: release,
        accepted,
      })
      return {
        digest: releaseDigest(envelope),
        version: statement.version,
        sequence: statement.sequence,
        manifest: statement.manifest,
      }
    },
  }
}
