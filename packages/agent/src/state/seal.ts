import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What a sealed value belongs to: the parts are bound as associated data, so that it opens nowhere else. */
export type SealContext = readonly (string | number)[]

export interface Sealer {
  seal(plain: Uint8Array, context: SealContext): Buffer
  /** Null when anything differs: key, context, any byte. */
  open(sealed: Uint8Array, context: SealContext): Buffer | null
}

const format = 1
const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM with a random nonce (NIST SP 800-38D, 8.2.2). Format: version 1, nonce, ciphertext, tag. */
export function sealer(key: Uint8Array): Sealer {
  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound(context))
      return Buffer.concat([Buffer.of(format), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      if (bytes.byteLength < 1 + nonceBytes + tagBytes || bytes[0] !== format) return null
      const nonce = bytes.subarray(1, 1 + nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(bound(context)).setAuthTag(bytes.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes)), decipher.final()])
      } catch {
        return null
      }
    },
  }
}

/** A key of its own for each purpose (HKDF, RFC 5869): nonces of one never count against another's. */
export function deriveSealer(dataKey: Uint8Array, purpose: string): Sealer {
  return sealer(Buffer.from(hkdfSync('sha256', dataKey, Buffer.alloc(0), `landfall agent ${purpose}`, 32)))
}

// JSON keeps ['a', 'b'] and ['a,b'] apart.
const bound = (context: SealContext): Buffer => Buffer.from(JSON.stringify(context))
