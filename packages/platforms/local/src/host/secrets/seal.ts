import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Seals values with AES-256-GCM under the environment's own key; what a value is for is bound as associated data. */
export class Sealer {
  readonly #key: Buffer

  constructor(key: Buffer) {
    if (key.length !== 32) throw new RangeError('the environment key must have 32 bytes')
    this.#key = key
  }

  seal(plain: string, context: string): Uint8Array {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context))
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  /** Throws when the value was changed, moved to another context, or sealed with another key. */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12))
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(12, 28))
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
  }

  /** A keyed hash that may be shown. */
  fingerprint(plain: string): string {
    return createHmac('sha256', this.#key).update(plain).digest('hex').slice(0, 16)
  }
}

/**
 * Reads the key file (0600), making it at first. Made aside and renamed: a key half written would keep every later daemon from starting. An
 * empty one was never used. The caller is the only daemon of the directory.
 */
export function openKeyFile(path: string): Sealer {
  const known = read(path)
  if (known.length > 0) {
    chmodSync(path, 0o600)
    return new Sealer(known)
  }
  const aside = `${path}.new`
  rmSync(aside, { force: true })
  writeFileSync(aside, randomBytes(32), { mode: 0o600, flag: 'wx', flush: true })
  renameSync(aside, path)
  return new Sealer(readFileSync(path))
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return Buffer.alloc(0)
  }
}
