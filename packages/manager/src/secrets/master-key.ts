import { createCipheriv, createDecipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { LandfallError } from '@landfall/stack'

/**
 * The key that wraps data keys. It is not in the database: one here is in a file, another may be in a KMS, which wraps and
 * unwraps without ever giving the key out.
 */
export interface MasterKey {
  /** Says which key wrapped something, without telling anything of it. */
  readonly id: string
  wrap(dataKey: Buffer, context: string): Promise<Buffer>
  /** @throws LandfallError `E_MASTER_KEY_WRONG` */
  unwrap(wrapped: Buffer, context: string): Promise<Buffer>
}

/** A master key of 32 bytes in memory: AES-256-GCM with a random nonce, the context bound as associated data. */
export function localMasterKey(key: Buffer): MasterKey {
  if (key.byteLength !== 32) throw new RangeError('a master key has 32 bytes')
  const id = createHash('sha256').update('landfall master key id').update(key).digest('hex').slice(0, 16)
  const secret = createSecretKey(key)
  return {
    id,
    async wrap(dataKey, context) {
      return encrypt(secret, dataKey, context)
    },
    async unwrap(wrapped, context) {
      try {
        return decrypt(secret, wrapped, context)
      } catch {
        throw wrongMasterKey(id)
      }
    },
  }
}

export function wrongMasterKey(id: string): LandfallError {
  return new LandfallError({
    code: 'E_MASTER_KEY_WRONG',
    message: `The master key (${id}) is not the one this database was sealed with.`,
    hint: 'Start the manager with the right key (LANDFALL_MASTER_KEY_FILE, or the file in its data directory). Nothing was changed.',
  })
}

/**
 * Format: version 1, nonce of 12 bytes, ciphertext, tag of 16 bytes. The key is an object: Node takes four times as long over one that is
 * bytes, and a release to ten thousand agents opens as many values.
 */
export function encrypt(key: KeyObject, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([Buffer.of(1), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Throws when anything differs: key, context, any byte. */
export function decrypt(key: KeyObject, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed)
  if (bytes.byteLength < 29 || bytes[0] !== 1) throw new RangeError('not a sealed value')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()])
}
