import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { LandfallError } from '@landfall/stack'

/** Whose key it is. The root key signs keysets and nothing else. */
export const keyKinds = ['vendor', 'manager', 'agent'] as const
export type KeyKind = (typeof keyKinds)[number]

/** What can sign: a key in memory here, a KMS elsewhere. */
export interface Signer {
  /** SHA-256 of the public key's SPKI DER, 64 hex digits. */
  readonly id: string
  /** SPKI DER in base64. */
  readonly publicKey: string
  /** An Ed25519 signature (64 bytes) of `message`. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** A public key as others know it. */
export interface PublicKey {
  readonly id: string
  readonly publicKey: string
}

/** An Ed25519 key pair. The private half is a private field: printing or serialising the object never shows it. */
export class SigningKey implements Signer {
  readonly id: string
  readonly publicKey: string
  readonly #privateKey: KeyObject

  constructor(privateKey: KeyObject) {
    if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519') {
      throw new LandfallError({
        code: 'E_KEY_FILE',
        message: 'The key is not an Ed25519 private key.',
        hint: 'Make one with `landfall keys create`.',
      })
    }
    const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
    this.id = keyIdOf(der)
    this.publicKey = der.toString('base64')
    this.#privateKey = privateKey
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return sign(null, message, this.#privateKey)
  }

  /** PKCS#8 PEM, encrypted when a passphrase is given (PBES2: AES-256, PBKDF2 as OpenSSL writes it: choose a long one). */
  toPem(passphrase?: string): string {
    const common = { type: 'pkcs8', format: 'pem' } as const
    const pem = this.#privateKey.export(passphrase ? { ...common, cipher: 'aes-256-cbc', passphrase } : common)
    return pem.toString()
  }

  /** Id and public key alone. */
  toPublic(): PublicKey {
    return { id: this.id, publicKey: this.publicKey }
  }
}

/** The offline key that signs keysets. */
export function createRootKey(): SigningKey {
  return new SigningKey(generateKeyPairSync('ed25519').privateKey)
}

/** A key that signs releases; what it may do is said by its entry in a keyset. */
export function createSigningKey(kind: KeyKind): SigningKey & { readonly kind: KeyKind } {
  return Object.assign(new SigningKey(generateKeyPairSync('ed25519').privateKey), { kind })
}

/** Reads PKCS#8 PEM. Throws `E_KEY_FILE` or `E_KEY_PASSPHRASE`, neither with any of its content. */
export function signingKeyFromPem(pem: string, passphrase?: string): SigningKey {
  const encrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
  if (encrypted && !passphrase) {
    throw new LandfallError({
      code: 'E_KEY_PASSPHRASE',
      message: 'The private key is encrypted and no passphrase was given.',
      hint: 'Give the passphrase of the key.',
    })
  }
  let key: KeyObject
  try {
    key = createPrivateKey(encrypted ? { key: pem, format: 'pem', passphrase } : { key: pem, format: 'pem' })
  } catch {
    throw new LandfallError(
      encrypted
        ? {
            code: 'E_KEY_PASSPHRASE',
            message: 'The private key could not be opened with this passphrase.',
            hint: 'Check the passphrase; the file may also be damaged.',
          }
        : {
            code: 'E_KEY_FILE',
            message: 'The private key could not be read: it is not PKCS#8 PEM.',
            hint: 'Check that this is the file that `landfall keys create` made.',
          },
    )
  }
  return new SigningKey(key)
}

/** Key id of a public key: SHA-256 of its SPKI DER. */
export function keyIdOf(spkiDer: Uint8Array): string {
  return createHash('sha256').update(spkiDer).digest('hex')
}

/** Reads a public key from SPKI in base64 or PEM. Throws `E_KEY_FILE`. */
export function publicKeyFrom(text: string): PublicKey {
  const body = text.replace(/-----(BEGIN|END) PUBLIC KEY-----/g, '').replace(/\s+/g, '')
  try {
    const key = createPublicKey({ key: Buffer.from(body, 'base64'), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('another algorithm')
    const der = key.export({ type: 'spki', format: 'der' })
    return { id: keyIdOf(der), publicKey: der.toString('base64') }
  } catch {
    throw new LandfallError({
      code: 'E_KEY_FILE',
      message: 'This is not an Ed25519 public key.',
      hint: 'Give the public key as `landfall keys create --json` prints it.',
    })
  }
}
