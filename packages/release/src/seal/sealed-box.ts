import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
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
  const der = Buffer.from(publicKey, 'base64')
  const to = readPublicKey(der)
  const own = generateKeyPairSync('x25519')
  const head = rawOf(own.publicKey)
  const shared = diffieHellman({ privateKey: own.privateKey, publicKey: to })
  const key = keyOf(shared, head, der.subarray(spkiPrefix.length), context)
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

function keyOf(shared: Buffer, head: Buffer, to: Buffer, context: string): KeyObject {
  // Keys as objects: Node takes four times as long over one that is bytes, and ten thousand agents may wait for their orders.
  const salt = Buffer.concat([head, to])
  const key = hkdfSync('sha256', createSecretKey(shared), salt, `landfall sealed box v1:${context}`, 32)
  return createSecretKey(Buffer.from(key))
}

function readPublicKey(der: Buffer): KeyObject {
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  // Exactly this form, so that the raw key can be cut out of it.
  const exact = der.length === spkiPrefix.length + rawBytes && der.subarray(0, spkiPrefix.length).equals(spkiPrefix)
  if (key.asymmetricKeyType === 'x25519' && exact) return key
  throw new TypeError('not an X25519 key')
}
