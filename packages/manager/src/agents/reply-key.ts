import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Keyring } from '../secrets/keyring.ts'

/** RFC 8410: the 32 bytes of an X25519 key as PKCS #8 are this prefix and they. */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** The manager's X25519 key: what an agent hands back (results of commands) is sealed to it. The same on every manager, for ever. */
export function replyKey(keyring: Pick<Keyring, 'derive'>): { privateKey: KeyObject; publicKey: string } {
  const seed = keyring.derive('agent replies')
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64')
  return { privateKey, publicKey }
}
