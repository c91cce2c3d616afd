import { type Digest, LandfallError, sha256 } from '@landfall/stack'
import { envelopePayload, parsePayload } from '../dsse/envelope.ts'
import { verifySignatures } from '../dsse/verify-signature.ts'
import type { PublicKey } from '../keys/signing-key.ts'
import { type Keyset, type KeysetEnvelope, keysetPayloadType } from './keyset.ts'
import { checkKeyset } from './sign-keyset.ts'

/**
 * Proves a keyset against the pinned root.
 *
 * @param options.minVersion the highest version seen so far; a lower one is refused (`E_KEYSET_OLDER`)
 * @param options.now milliseconds since the epoch
 * @param options.allowExpired for reading a keyset in order to replace it; never for accepting a release
 * @throws LandfallError `E_SIGNATURE_MISSING`, `E_ROOT_UNTRUSTED`, `E_SIGNATURE_INVALID`, `E_KEYSET_INVALID`,
 *   `E_KEYSET_PROJECT`, `E_KEYSET_OLDER`, `E_KEYSET_EXPIRED`, and those of reading an envelope
 */
export function verifyKeyset(
  envelope: KeysetEnvelope,
  options: { root: PublicKey; minVersion: number; now: number; project?: string; allowExpired?: boolean },
): Keyset {
  requireSignatureOf(options.root, verifySignatures(envelope, keysetPayloadType, [options.root]), 'keyset')
  const value = checkKeyset(parsePayload(envelopePayload(envelope, keysetPayloadType)))
  if (options.project !== undefined && value.project !== options.project) {
    throw new LandfallError({
      code: 'E_KEYSET_PROJECT',
      message: `The keyset is for the project ${value.project}, not for ${options.project}.`,
      hint: 'Give the keyset of this project.',
    })
  }
  if (value.version < options.minVersion) {
    throw new LandfallError({
      code: 'E_KEYSET_OLDER',
      message: `The keyset has version ${value.version}; version ${options.minVersion} has been seen already.`,
      hint: 'Give the newest keyset. An older one could bring back a key that was revoked.',
    })
  }
  if (!options.allowExpired) requireFresh(value, options.now)
  return value
}

/** Throws `E_KEYSET_EXPIRED` when the keyset's time is over. */
export function requireFresh(keyset: Keyset, now: number): void {
  if (now <= Date.parse(keyset.expiresAt)) return
  throw new LandfallError({
    code: 'E_KEYSET_EXPIRED',
    message: `The keyset (version ${keyset.version}) expired at ${keyset.expiresAt}.`,
    hint: 'The vendor signs a new keyset with the root key. Nothing that runs is touched; only new releases wait.',
  })
}

/** Digest of a keyset's payload: what `previous` of the next one names. */
export function keysetDigest(envelope: KeysetEnvelope): Digest {
  return sha256(envelopePayload(envelope, keysetPayloadType))
}

/** One valid signature of exactly this root. */
export function requireSignatureOf(root: PublicKey, results: ReturnType<typeof verifySignatures>, what: string): void {
  if (results.some((result) => result.status === 'valid' && result.key.id === root.id)) return
  if (results.length === 0) {
    throw new LandfallError({
      code: 'E_SIGNATURE_MISSING',
      message: `The ${what} carries no signature.`,
      hint: 'Sign it with the root key.',
    })
  }
  if (results.some((result) => result.status === 'invalid')) {
    throw new LandfallError({
      code: 'E_SIGNATURE_INVALID',
      message: `The ${what}'s signature does not match its content.`,
      hint: 'It was changed after it was signed. Get it again from the vendor, and ask how it came to be changed.',
    })
  }
  throw new LandfallError({
    code: 'E_ROOT_UNTRUSTED',
    message: `The ${what} is signed by another root key than the pinned one (${root.id.slice(0, 12)}…).`,
    hint: 'If the vendor rotated the root, give the rotation that the old root signed. Otherwise do not trust this.',
  })
}
