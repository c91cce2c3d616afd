import type { Digest } from '@landfall/stack'
import { envelopePayload, parsePayload } from '../dsse/envelope.ts'
import { checkStatement } from '../statement/check-statement.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import { type ReleaseEnvelope, type ReleaseStatement, releasePayloadType } from '../statement/statement.ts'

/** What a site is known to have. */
export interface Base {
  releases: ReadonlySet<Digest>
  artifacts: ReadonlySet<Digest>
}

/** The artifacts of releases that a site has. Envelopes, images' manifests and SBOMs are small and always travel. */
export function baseOf(envelopes: readonly ReleaseEnvelope[]): Base {
  const statements = envelopes.map(readRelease)
  return {
    releases: new Set(envelopes.map(releaseDigest)),
    artifacts: new Set(statements.flatMap((statement) => statement.artifacts.map((artifact) => artifact.digest))),
  }
}

/** A release's statement without any proof of its signature. */
export function readRelease(envelope: ReleaseEnvelope): ReleaseStatement {
  return checkStatement(parsePayload(envelopePayload(envelope, releasePayloadType)))
}
