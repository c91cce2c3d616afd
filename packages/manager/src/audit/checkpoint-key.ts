import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { canonicalJson } from '@landfall/stack'
import type { Keyring } from '../secrets/keyring.ts'

/** What a checkpoint says: the chain had this hash at this number then. */
export interface CheckpointContent {
  chain: string
  number: number
  hash: string
  /** ISO 8601 in UTC. */
  at: string
}

/** Signs and verifies checkpoints with Ed25519. */
export interface CheckpointKey {
  /** PEM, for whoever verifies an export without the manager. */
  readonly publicKey: string
  /** Base64. */
  sign(content: CheckpointContent): string
  verify(content: CheckpointContent, signature: string): boolean
}

/** RFC 8410: an Ed25519 seed as PKCS #8 is this prefix and the 32 bytes. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The manager's checkpoint key: the same on every manager of the database, never stored plain. */
export function checkpointKey(keyring: Keyring): CheckpointKey {
  const seed = keyring.derive('audit checkpoints')
  const secret = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const open: KeyObject = createPublicKey(secret)
  return {
    publicKey: open.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (content) => sign(null, bytesOf(content), secret).toString('base64'),
    verify: (content, signature) => verify(null, bytesOf(content), open, Buffer.from(signature, 'base64')),
  }
}

// The prefix keeps the signature from meaning anything elsewhere.
function bytesOf({ chain, number, hash, at }: CheckpointContent): Buffer {
  return Buffer.from(`landfall audit checkpoint v1\n${canonicalJson({ chain, number, hash, at })}`)
}
