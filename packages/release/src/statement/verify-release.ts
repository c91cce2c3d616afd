import { type Digest, LandfallError } from '@landfall/stack'
import { envelopePayload, parsePayload } from '../dsse/envelope.ts'
import { type SignatureResult, verifySignatures } from '../dsse/verify-signature.ts'
import type { KeyKind } from '../keys/signing-key.ts'
import type { Keyset, KeysetKey } from '../keyset/keyset.ts'
import { requireFresh } from '../keyset/verify-keyset.ts'
import { checkStatement } from './check-statement.ts'
import { releaseDigest } from './sign-release.ts'
import { type ReleaseEnvelope, type ReleaseStatement, releasePayloadType } from './statement.ts'

export interface VerifyReleaseOptions {
  /** Verified by `verifyKeyset`. */
  keyset: Keyset
  /** Key kinds whose signature counts. */
  trust: readonly KeyKind[]
  project: string
  /** Milliseconds since the epoch. */
  now: number
  /** The lowest sequence accepted; left out where the caller holds the floor itself, as the engine does. */
  floor?: number
  /** The digest the release was asked for by. */
  digest?: Digest
  /** Different keys that must have signed; 1 by default. */
  threshold?: number
  /**
   * The deployment has accepted this very release before: time alone (an expired keyset, a retired or since revoked key)
   * must not stop what already runs, or the way back to it. A signature that does not hold still does.
   */
  accepted?: boolean
}

/**
 * Proves a release. Every failure has a code of its own: `E_SIGNATURE_MISSING`, `E_SIGNATURE_INVALID`,
 * `E_SIGNATURE_THRESHOLD`, `E_KEY_UNKNOWN`, `E_KEY_REVOKED`, `E_KEY_EXPIRED`, `E_KEY_KIND_UNTRUSTED`, `E_KEYSET_EXPIRED`,
 * `E_KEYSET_PROJECT`, `E_RELEASE_DIGEST`, `E_RELEASE_PROJECT`, `E_RELEASE_INVALID`, `E_SEQUENCE_OLDER`,
 * `E_ARTIFACT_DIGEST`, and those of reading an envelope.
 */
export function verifyRelease(envelope: ReleaseEnvelope, options: VerifyReleaseOptions): ReleaseStatement {
  const { keyset, project } = options
  if (!options.accepted) requireFresh(keyset, options.now)
  if (keyset.project !== project) {
    throw fail('E_KEYSET_PROJECT', `The keyset is for the project ${keyset.project}, not for ${project}.`, pinHint)
  }
  const results = verifySignatures(envelope, releasePayloadType, keyset.keys)
  if (options.digest !== undefined && releaseDigest(envelope) !== options.digest) {
    throw fail('E_RELEASE_DIGEST', 'The release is not the one that was asked for: its digest differs.', tamperHint)
  }
  // The signature is checked on the raw bytes before they are parsed; the keys' dates need the statement, so they come after.
  const statement = withSignature(results, options, () =>
    checkStatement(parsePayload(envelopePayload(envelope, releasePayloadType))),
  )
  if (statement.project !== project) {
    throw fail('E_RELEASE_PROJECT', `The release is of the project ${statement.project}, not of ${project}.`, pinHint)
  }
  if (options.floor !== undefined && statement.sequence < options.floor) {
    throw fail(
      'E_SEQUENCE_OLDER',
      `The release has sequence ${statement.sequence}; sequence ${options.floor} was accepted already.`,
      'Make a new release with the older code if that is what is wanted: going back needs a higher sequence.',
    )
  }
  return statement
}

/**
 * The keys of the keyset that really signed a release, for display. An envelope's own key ids prove nothing: anyone can add
 * a signature that names a key it does not come from.
 */
export function releaseSigners(envelope: ReleaseEnvelope, keyset: Keyset): { keyid: string; kind: KeyKind }[] {
  const valid = new Set<string>()
  for (const result of verifySignatures(envelope, releasePayloadType, keyset.keys)) {
    if (result.status === 'valid') valid.add(result.key.id)
  }
  return keyset.keys.filter((key) => valid.has(key.id)).map(({ id, kind }) => ({ keyid: id, kind }))
}

const pinHint = 'Check which project this deployment belongs to.'
const tamperHint = 'It was changed after it was signed, or mixed up. Get it again from the vendor.'

function withSignature(
  results: readonly SignatureResult[],
  options: VerifyReleaseOptions,
  parse: () => ReleaseStatement,
): ReleaseStatement {
  if (results.length === 0) {
    throw fail('E_SIGNATURE_MISSING', 'The release carries no signature.', 'Sign it with `landfall release`.')
  }
  const keys = new Map(options.keyset.keys.map((key) => [key.id, key]))
  const signed = new Map<string, KeysetKey>()
  for (const result of results) {
    const key = result.status === 'valid' ? keys.get(result.key.id) : undefined
    if (key) signed.set(key.id, key)
  }
  const refusals: LandfallError[] = []
  // Nothing is parsed that no known key has signed.
  const statement = signed.size > 0 ? parse() : undefined
  let counted = 0
  for (const key of signed.values()) {
    const refusal = statement && refuseKey(key, statement, options)
    if (refusal) refusals.push(refusal)
    else counted++
  }
  const threshold = Math.max(1, options.threshold ?? 1)
  if (statement && counted >= threshold) return statement
  if (counted > 0) {
    throw fail(
      'E_SIGNATURE_THRESHOLD',
      `The release carries ${counted} accepted ${counted === 1 ? 'signature' : 'signatures'} of the ${threshold} that are needed.`,
      'Have it signed by the other keys too.',
    )
  }
  if (refusals[0]) throw refusals[0]
  if (results.some((result) => result.status === 'invalid')) {
    throw fail('E_SIGNATURE_INVALID', "The release's signature does not match its content.", tamperHint)
  }
  throw fail(
    'E_KEY_UNKNOWN',
    'The release is signed by a key that is not in the keyset.',
    'If the vendor has a new key, bring the newest keyset first. Otherwise do not trust this release.',
  )
}

function refuseKey(
  key: KeysetKey,
  statement: ReleaseStatement,
  options: VerifyReleaseOptions,
): LandfallError | undefined {
  const name = `${key.id.slice(0, 12)}…`
  if (key.revokedAt !== undefined && !options.accepted) {
    return fail(
      'E_KEY_REVOKED',
      `The release is signed by the key ${name}, which was revoked at ${key.revokedAt}.`,
      'The vendor signs the release anew with a key that holds.',
    )
  }
  if (!options.trust.includes(key.kind)) {
    return fail(
      'E_KEY_KIND_UNTRUSTED',
      `The release is signed by a ${key.kind} key; this deployment trusts ${options.trust.join(' and ') || 'none'}.`,
      "Sign it with a key of a trusted kind, or change the deployment's policy where the customer agrees.",
    )
  }
  if (key.notAfter !== undefined && statement.createdAt > key.notAfter && !options.accepted) {
    return fail(
      'E_KEY_EXPIRED',
      `The release is dated ${statement.createdAt}; the key ${name} was retired at ${key.notAfter}.`,
      'Sign the release with the key that took its place.',
    )
  }
  return undefined
}

function fail(code: string, message: string, hint: string): LandfallError {
  return new LandfallError({ code, message, hint })
}
