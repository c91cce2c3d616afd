import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { PublicKey } from '../keys/signing-key.ts'
import { decodeBase64 } from './base64.ts'
import { type Envelope, envelopePayload } from './envelope.ts'
import { preAuthEncoding } from './pae.ts'

/** What came of one signature of an envelope. */
export type SignatureResult =
  | { status: 'valid'; key: PublicKey }
  /** A key we know, a signature that is not its own. */
  | { status: 'invalid'; keyid: string }
  /** It names a key we do not know. */
  | { status: 'unknown'; keyid: string }

/**
 * Checks every signature of an envelope against the keys. The key id is an unauthenticated hint that only chooses which key
 * to try; without one all are tried. Says nothing about trust: that is for the caller.
 */
export function verifySignatures(
  envelope: Envelope,
  payloadType: string,
  keys: readonly PublicKey[],
): SignatureResult[] {
  const message = preAuthEncoding(payloadType, envelopePayload(envelope, payloadType))
  return envelope.signatures.map(({ keyid, sig }) => {
    const candidates = keyid ? keys.filter((key) => key.id === keyid) : keys
    if (keyid && candidates.length === 0) return { status: 'unknown', keyid }
    const bytes = decodeBase64(sig)
    const key = bytes && candidates.find((candidate) => verifyOne(message, bytes, candidate))
    return key ? { status: 'valid', key } : { status: 'invalid', keyid }
  })
}

function verifyOne(message: Uint8Array, signature: Uint8Array, key: PublicKey): boolean {
  const der = decodeBase64(key.publicKey)
  if (!der || signature.length !== 64) return false
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  } catch {
    return false
  }
  return publicKey.asymmetricKeyType === 'ed25519' && verify(null, message, publicKey, signature)
}
