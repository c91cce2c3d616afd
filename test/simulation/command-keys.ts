import { generateKeyPairSync } from 'node:crypto'
import {
  createRootKey,
  createSigningKey,
  type Envelope,
  type KeysetEnvelope,
  keysetEntry,
  publicKeyFrom,
  signCommand,
  signKeyset,
} from '@landfall/release'

/* Real keys, made anew in each process: nothing that happens in a world depends on which they are. */

const pair = generateKeyPairSync('x25519')
/** What results and output are sealed to. */
export const replyKey = {
  privateKey: pair.privateKey,
  publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
}

const root = createRootKey()
const vendor = createSigningKey('vendor')
const keyset: KeysetEnvelope = await signKeyset(
  { project: 'shop', version: 1, expiresAt: '2030-01-01T00:00:00.000Z', keys: [keysetEntry('vendor', vendor)] },
  root,
)

/** What every site pins and believes. */
export const trust = {
  root: () => ({ ...publicKeyFrom(root.publicKey), version: 0 }),
  version: () => 1,
  keyset: () => keyset,
  take: () => false,
}

/** Signs a call for a site without network. Milliseconds since the epoch. */
export async function signFor(of: {
  deployment: string
  id: string
  input: unknown
  issuedAt: number
  expiresAt: number
}): Promise<Envelope> {
  const { deployment, id, input } = of
  return signCommand(
    {
      ...{ project: 'shop', id, deployment, worker: 'api', command: 'work', nonce: `nonce-of-${id}`.padEnd(22, '-') },
      input: input as string,
      issuedAt: new Date(of.issuedAt).toISOString(),
      expiresAt: new Date(of.expiresAt).toISOString(),
    },
    vendor,
  )
}
