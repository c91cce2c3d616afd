import { LandfallError } from '@landfall/stack'
import { type Envelope, envelopePayload, parsePayload } from '../dsse/envelope.ts'
import { type SignatureResult, verifySignatures } from '../dsse/verify-signature.ts'
import type { KeyKind, PublicKey } from '../keys/signing-key.ts'
import type { Keyset, KeysetKey } from '../keyset/keyset.ts'

/**
 * Proves an envelope by one key of the keyset that counts, then parses it: nothing is parsed that no known key signed.
 *
 * @param options.what stands in messages, such as `bundle`
 * @param options.parse checks the shape of the canonical JSON
 * @param options.dated when the document says it was made: a retired key counts for what is older
 * @throws LandfallError `E_SIGNATURE_MISSING`, `E_SIGNATURE_INVALID`, `E_KEY_UNKNOWN`, `E_KEY_REVOKED`,
 *   `E_KEY_KIND_UNTRUSTED`, `E_KEY_EXPIRED`, those of reading an envelope and of `parse`
 */
export function requireSigned<T>(
  envelope: Envelope,
  options: {
    payloadType: string
    what: string
    keyset: Keyset
    trust: readonly KeyKind[]
    parse: (value: unknown) => T
    dated: (document: T) => string
  },
): T {
  const { what, keyset, payloadType } = options
  const results = verifySignatures(envelope, payloadType, keyset.keys)
  const signers = keyset.keys.filter((key) => results.some((one) => one.status === 'valid' && one.key.id === key.id))
  if (signers.length === 0) throw unsigned(results, what)
  const document = options.parse(parsePayload(envelopePayload(envelope, payloadType)))
  const refusals = signers.map((key) => refusal(key, options.dated(document), options))
  const first = refusals[0]
  if (first && refusals.every(Boolean)) throw first
  return document
}

/** As `requireSigned`, for a document of one known key: an agent's. */
export function requireSignedBy<T>(
  envelope: Envelope,
  options: { payloadType: string; what: string; key: PublicKey; parse: (value: unknown) => T },
): T {
  const results = verifySignatures(envelope, options.payloadType, [options.key])
  if (!results.some((one) => one.status === 'valid')) throw unsigned(results, options.what)
  return options.parse(parsePayload(envelopePayload(envelope, options.payloadType)))
}

function unsigned(results: readonly SignatureResult[], what: string): LandfallError {
  if (results.length === 0) {
    return refused('E_SIGNATURE_MISSING', `The ${what} carries no signature.`, 'Get it again from who made it.')
  }
  if (results.some((result) => result.status === 'invalid')) {
    return refused(
      'E_SIGNATURE_INVALID',
      `The ${what}'s signature does not match its content.`,
      'It was changed after it was signed. Get it again, and ask how it came to be changed.',
    )
  }
  return refused(
    'E_KEY_UNKNOWN',
    `The ${what} is signed by a key that is not known here.`,
    'If there is a new key, bring what names it first. Otherwise do not trust this.',
  )
}

function refusal(
  key: KeysetKey,
  dated: string,
  { what, trust }: { what: string; trust: readonly KeyKind[] },
): LandfallError | undefined {
  const name = `${key.id.slice(0, 12)}…`
  if (key.revokedAt !== undefined) {
    return refused(
      'E_KEY_REVOKED',
      `The ${what} is signed by the key ${name}, which was revoked at ${key.revokedAt}.`,
      'The vendor makes it anew with a key that holds.',
    )
  }
  if (!trust.includes(key.kind)) {
    return refused(
      'E_KEY_KIND_UNTRUSTED',
      `The ${what} is signed by a ${key.kind} key; this deployment trusts ${trust.join(' and ') || 'none'}.`,
      "Sign it with a key of a trusted kind, or change the deployment's policy where the customer agrees.",
    )
  }
  if (key.notAfter !== undefined && dated > key.notAfter) {
    return refused(
      'E_KEY_EXPIRED',
      `The ${what} is dated ${dated}; the key ${name} was retired at ${key.notAfter}.`,
      'Sign it with the key that took its place.',
    )
  }
  return undefined
}

function refused(code: string, message: string, hint: string): LandfallError {
  return new LandfallError({ code, message, hint })
}
