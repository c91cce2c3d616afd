import { chmod, open, readFile, stat } from 'node:fs/promises'
import { LandfallError } from '@landfall/stack'
import { type SigningKey, signingKeyFromPem } from './signing-key.ts'

/** Writes a private key as PKCS#8 PEM, mode 0600, never over an existing file (`E_KEY_EXISTS`). */
export async function writeKeyFile(file: string, key: SigningKey, passphrase?: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    if (!isCode(cause, 'EEXIST')) throw cause
    throw new LandfallError({
      code: 'E_KEY_EXISTS',
      message: `There is a file at ${file} already.`,
      hint: 'Choose another name. A key is never written over: losing one can mean losing the way to every deployment.',
    })
  })
  try {
    await handle.writeFile(key.toPem(passphrase))
    await handle.sync()
  } finally {
    await handle.close()
  }
  // The mode of open() is cut by the umask, never widened; a second chmod makes it exact.
  await chmod(file, 0o600)
}

/** Reads a private key. Throws `E_KEY_FILE` (absent, readable by others, not a key) or `E_KEY_PASSPHRASE`. */
export async function readKeyFile(file: string, passphrase?: string): Promise<SigningKey> {
  const info = await stat(file).catch((cause: unknown) => {
    if (!isCode(cause, 'ENOENT')) throw cause
    throw new LandfallError({
      code: 'E_KEY_FILE',
      message: `There is no key at ${file}.`,
      hint: 'Give the path of a private key that `landfall keys create` made.',
    })
  })
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) {
    throw new LandfallError({
      code: 'E_KEY_FILE',
      message: `The private key at ${file} can be read by others on this machine.`,
      hint: `Run: chmod 600 ${file}`,
    })
  }
  return signingKeyFromPem(await readFile(file, 'utf8'), passphrase)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
