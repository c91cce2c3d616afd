import { keyIdOf } from './signing-key.ts'

/** A public key (SPKI in base64) for people to compare: the first 80 bits of its SHA-256 as five groups of four hex digits. */
export function fingerprintOf(publicKey: string): string {
  const id = keyIdOf(Buffer.from(publicKey, 'base64'))
  return (id.slice(0, 20).match(/.{4}/g) ?? []).join('-')
}
