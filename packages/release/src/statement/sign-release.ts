import { canonicalJson, type Digest, digestOf, type Manifest, parseManifest, sha256 } from '@landfall/stack'
import { envelopePayload, signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { Signer } from '../keys/signing-key.ts'
import { checkStatement } from './check-statement.ts'
import { settableOf } from './settable.ts'
import {
  type Artifact,
  type Provenance,
  type ReleaseEnvelope,
  type ReleaseStatement,
  releasePayloadType,
  releaseSchemaId,
  type SbomRef,
} from './statement.ts'

/**
 * Puts a statement together from what was built.
 *
 * @param options.sequence one above the project's highest so far (the manager tells it); over all channels
 * @param options.now milliseconds since the epoch
 * @throws LandfallError `E_MANIFEST_INVALID`, `E_RELEASE_INVALID`, `E_ARTIFACT_DIGEST`, `E_ENVIRONMENT_REFUSED`
 */
export function createStatement(options: {
  manifest: Manifest
  artifacts: readonly Artifact[]
  sbom?: SbomRef
  provenance: Provenance
  version: string
  channel: string
  sequence: number
  now: number
}): ReleaseStatement {
  // What is signed is meaningful, not only well-formed: nobody corrects a release afterwards.
  parseManifest(canonicalJson(options.manifest))
  return checkStatement({
    schema: releaseSchemaId,
    project: options.manifest.project,
    version: options.version,
    channel: options.channel,
    sequence: options.sequence,
    createdAt: new Date(options.now).toISOString(),
    manifest: options.manifest,
    artifacts: options.artifacts,
    ...(options.sbom ? { sbom: options.sbom } : {}),
    provenance: options.provenance,
    settable: settableOf(options.manifest),
  })
}

/** Signs a release with one key or several. Ed25519 is deterministic: the same statement and keys give the same envelope. */
export async function signRelease(
  statement: ReleaseStatement,
  signers: Signer | readonly Signer[],
): Promise<ReleaseEnvelope> {
  const all = 'sign' in signers ? [signers] : signers
  return signEnvelope(releasePayloadType, canonicalBytes(checkStatement(statement)), all)
}

/** The release's digest: SHA-256 over the payload, which is the statement's canonical form. Signatures are not part of it. */
export function releaseDigest(envelope: ReleaseEnvelope): Digest {
  return sha256(envelopePayload(envelope, releasePayloadType))
}

/** Digest of a statement before it is signed; the same as its envelope's. */
export function statementDigest(statement: ReleaseStatement): Digest {
  return digestOf(statement)
}
