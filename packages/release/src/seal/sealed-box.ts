import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { LandfallError } from '@landfall/stack'

const nonceBytes = 12
const tagBytes = 16
const rawBytes = 32

/**
 * Seals bytes to an X25519 key, so that only the holder of its private half opens them, for one purpose alone: a new key pair for
 * each box, X25519, HKDF-SHA256 (salt: both public keys, info: the context), AES-256-GCM with the context as associated data. The
 * layout is `public key (32) · nonce (12) · tag (16) · ciphertext`, in base64. It hides and does not say from whom it came.
 *
 * @param publicKey SubjectPublicKeyInfo in base64
 * @param context what it is for; opening with another fails
 */
export function sealTo(publicKey: string, plain: Uint8Array | string, context: string): string {
  const to = readPublicKey(publicKey)
  const own = generateKeyPairSync('x25519')
  const head = rawOf(own.publicKey)
  const key = keyOf(diffieHellman({ privateKey: own.privateKey, publicKey: to }), head, rawOf(to), context)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([head, nonce, cipher.getAuthTag(), body]).toString('base64')
}

/** Opens a box. @throws LandfallError `E_SEAL_BROKEN` when it is not for this key and context, or was changed */
export function openSealed(privateKey: KeyObject, sealed: string, context: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64')
  const head = bytes.subarray(0, rawBytes)
  const nonce = bytes.subarray(rawBytes, rawBytes + nonceBytes)
  const tag = bytes.subarray(rawBytes + nonceBytes, rawBytes + nonceBytes + tagBytes)
  try {
    const from = createPublicKey({ key: Buffer.concat([spkiPrefix, head]), format: 'der', type: 'spki' })
    const own = rawOf(createPublicKey(privateKey))
    const key = keyOf(diffieHellman({ privateKey, publicKey: from }), head, own, context)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag)
    return Buffer.concat([decipher.update(bytes.subarray(rawBytes + nonceBytes + tagBytes)), decipher.final()])
  } catch (cause) {
    throw new LandfallError({
      code: 'E_SEAL_BROKEN',
      message: 'What was sealed does not open with this key.',
      hint: 'It was sealed to another key or for another purpose, or was changed on the way: have it made again.',
      cause,
    })
  }
}

/** RFC 8410: what stands before the 32 bytes of an X25519 public key in DER. */
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex')

const rawOf = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).subarray(spkiPrefix.length)

function keyOf(shared: Buffer, head: Buffer, to: Buffer, context: string): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([head, to]), `landfall sealed box v1:${context}`, 32))
}

function readPublicKey(text: string): KeyObject {
  const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  if (key.asymmetricKeyType === 'x25519') return key
  throw new TypeError('not an X25519 key')
}
