import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createRootKey,
  createSigningKey,
  keysetEntry,
  readKeyFile,
  type SigningKey,
  signKeyset,
  writeKeyFile,
} from '@landfall/release'
import type { Environment } from '../context/context.ts'
import { settingsDirectory } from '../context/settings.ts'

/** Where a project's private keys are on this machine; the manager never sees them. */
export function keyDirectory(environment: Environment, project: string): string {
  return environment.LANDFALL_KEYS ?? join(settingsDirectory(environment), 'keys', project)
}

export const keyFile = (directory: string, name: 'root' | 'vendor') => join(directory, `${name}.pem`)

const year = 366 * 86_400_000

/** Makes a root and a vendor key and the first keyset, signed by the root. Throws `E_KEY_EXISTS` rather than write over one. */
export async function createKeys(
  environment: Environment,
  project: string,
  now: number,
): Promise<{ directory: string; rootPublicKey: string; keyset: Awaited<ReturnType<typeof signKeyset>> }> {
  const directory = keyDirectory(environment, project)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const passphrase = environment.LANDFALL_KEY_PASSPHRASE
  const root = createRootKey()
  const vendor = createSigningKey('vendor')
  await writeKeyFile(keyFile(directory, 'root'), root, passphrase)
  await writeKeyFile(keyFile(directory, 'vendor'), vendor, passphrase)
  const keyset = await signKeyset(
    { project, version: 1, expiresAt: new Date(now + year).toISOString(), keys: [keysetEntry('vendor', vendor)] },
    root,
  )
  return { directory, rootPublicKey: root.publicKey, keyset }
}

export function readKey(environment: Environment, project: string, name: 'root' | 'vendor'): Promise<SigningKey> {
  return readKeyFile(keyFile(keyDirectory(environment, project), name), environment.LANDFALL_KEY_PASSPHRASE)
}
