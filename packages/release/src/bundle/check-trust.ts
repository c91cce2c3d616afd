import { type Digest, LandfallError, sha256 } from '@landfall/stack'
import { envelopePayload } from '../dsse/envelope.ts'
import type { KeyKind } from '../keys/signing-key.ts'
import type { Keyset } from '../keyset/keyset.ts'
import { followRoot, type PinnedRoot } from '../keyset/root-rotation.ts'
import { verifyKeyset } from '../keyset/verify-keyset.ts'
import { overLimit } from './archive/archive-errors.ts'
import { tarBlock, tarEntryBytes } from './archive/tar-header.ts'
import {
  type BundleRelease,
  type BundleStatement,
  bundleInvalid,
  bundlePayloadType,
  checkBundleStatement,
} from './bundle-statement.ts'
import { type BundleLimits, defaultLimits } from './limits.ts'
import { bundleIndex, bundleManifest, layoutFile } from './oci-view.ts'
import type { BundleHead } from './read-head.ts'
import { requireSigned } from './signed-document.ts'

/** What the site knows and wants. */
export interface TrustOptions {
  /** As it was pinned at setup, or by rotations followed since. */
  root: PinnedRoot
  /** The highest keyset version seen. */
  minKeysetVersion: number
  project: string
  deployment: string
  /** Milliseconds since the epoch. */
  now: number
  /** The lowest sequence that is no downgrade: the highest one accepted so far. */
  sequenceFloor: number
  /** The operator wants older releases too. The engine still refuses them as an update: this only makes them available. */
  allowOlder?: boolean
  /** Key kinds that count; the vendor's alone by default. */
  trust?: readonly KeyKind[]
  limits?: Partial<BundleLimits>
}

/** A bundle whose description is proved; its blobs are not yet read. */
export interface TrustedHead {
  /** Digest of the signed description. */
  id: Digest
  statement: BundleStatement
  keyset: Keyset
  /** The root to pin from now on. */
  root: PinnedRoot
  /** Releases below the floor: carried, but not to be offered. */
  belowFloor: BundleRelease[]
  offered: BundleRelease[]
}

/** Everything that can be decided from the first entries alone: before a gigabyte is copied. */
export function checkTrust(head: BundleHead, options: TrustOptions): TrustedHead {
  const { project, now } = options
  const root = followRoot(options.root, head.rotations, project)
  const keyset = verifyKeyset(head.keyset, { root, minVersion: options.minKeysetVersion, now, project })
  const statement = requireSigned(head.envelope, {
    payloadType: bundlePayloadType,
    what: 'bundle',
    keyset,
    trust: options.trust ?? ['vendor'],
    parse: checkBundleStatement,
    dated: (bundle) => bundle.createdAt,
  })
  requireOwnView(statement, head, keyset)
  checkLimits(statement, { ...defaultLimits, ...options.limits })
  if (statement.project !== project) {
    throw refuse(
      'E_BUNDLE_PROJECT',
      `is of the project ${statement.project}, not of ${project}`,
      'Take the right file.',
    )
  }
  if (statement.deployment !== undefined && statement.deployment !== options.deployment) {
    throw refuse(
      'E_BUNDLE_DEPLOYMENT',
      `was made for the deployment ${statement.deployment} alone`,
      'Take the file that was made for this one.',
    )
  }
  if (statement.expiresAt !== undefined && now > Date.parse(statement.expiresAt)) {
    throw refuse(
      'E_BUNDLE_EXPIRED',
      `expired at ${statement.expiresAt}`,
      'Ask the vendor for a new one, and check the clock of this machine.',
    )
  }
  const older = statement.releases.filter((release) => release.sequence < options.sequenceFloor)
  const belowFloor = options.allowOlder ? [] : older
  if (belowFloor.length > 0 && belowFloor.length === statement.releases.length) {
    throw new LandfallError({
      code: 'E_SEQUENCE_OLDER',
      message: `The newest release of the bundle has sequence ${statement.releases.at(-1)?.sequence}; sequence ${options.sequenceFloor} was accepted already.`,
      hint: 'Take a newer bundle. To make older releases available on purpose, say so when importing.',
    })
  }
  const offered = statement.releases.filter((release) => !belowFloor.includes(release))
  return { id: bundleId(head), statement, keyset, root, belowFloor, offered }
}

/** Digest of what is signed. */
export const bundleId = (head: BundleHead): Digest => sha256(envelopePayload(head.envelope, bundlePayloadType))

/** Bytes of the file that the statement describes. */
export function archiveBytes(statement: BundleStatement, head: BundleHead): number {
  const own = [layoutFile, head.index, head.manifest, head.config, head.envelopeBytes].map((bytes) => bytes.length)
  const sizes = [...own, ...statement.blobs.map((blob) => blob.size)]
  return sizes.reduce((total, size) => total + tarEntryBytes(size), 2 * tarBlock)
}

/** Index, manifest and chain follow from the statement; what other tools are shown is what is signed. */
function requireOwnView(statement: BundleStatement, head: BundleHead, keyset: Keyset): void {
  const own = bundleManifest(statement, { digest: sha256(head.envelopeBytes), size: head.envelopeBytes.length })
  if (!head.manifest.equals(own.manifest.bytes) || !head.config.equals(own.config.bytes)) {
    throw bundleInvalid('its OCI manifest is not the one that was signed')
  }
  if (!head.index.equals(bundleIndex(statement, own.manifest))) {
    throw bundleInvalid('its OCI index is not the one that was signed')
  }
  if (statement.keyset.version !== keyset.version) throw bundleInvalid('it names another version of the keyset')
}

function checkLimits(statement: BundleStatement, limits: BundleLimits): void {
  if (statement.blobs.length > limits.maxEntries) {
    throw overLimit('bundle', `it has ${statement.blobs.length} blobs; at most ${limits.maxEntries} are taken`)
  }
  const large = statement.blobs.find((blob) => blob.size > limits.maxBlobBytes)
  if (large) throw overLimit('bundle', `a blob in it has ${large.size} bytes; at most ${limits.maxBlobBytes} are taken`)
  const total = statement.blobs.reduce((sum, blob) => sum + blob.size, 0)
  if (total > limits.maxBytes) throw overLimit('bundle', `it has ${total} bytes; at most ${limits.maxBytes} are taken`)
}

function refuse(code: string, what: string, hint: string): LandfallError {
  return new LandfallError({ code, message: `The bundle ${what}.`, hint })
}
