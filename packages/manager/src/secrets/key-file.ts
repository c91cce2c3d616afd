import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LandfallError } from '@landfall/stack'
import { localMasterKey, type MasterKey } from './master-key.ts'

/**
 * Reads the master key from a file of 64 hex digits.
 *
 * @throws LandfallError `E_MASTER_KEY_FILE` when it is absent, open to others, or not a key
 */
export async function readMasterKey(file: string): Promise<MasterKey> {
  const info = await stat(file).catch(() => null)
  if (!info)
    throw refused(
      `There is no master key at ${file}.`,
      'Put the key there, or leave the setting out on a new installation.',
    )
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) {
    throw refused(`The master key at ${file} can be read by others on this machine.`, `Run: chmod 600 ${file}`)
  }
  const text = (await readFile(file, 'utf8')).trim()
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw refused(
      `The file ${file} does not hold a master key.`,
      'It must hold 64 hex digits, as `openssl rand -hex 32` prints.',
    )
  }
  return localMasterKey(Buffer.from(text, 'hex'))
}

/** Reads the key, or makes one at the first start. Whole or not at all: a key half written would lock everything out. */
export async function readOrCreateMasterKey(file: string): Promise<MasterKey> {
  if (await stat(file).catch(() => null)) return readMasterKey(file)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const part = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(part, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    // A link never replaces a file: of two first starts at once, one key wins and both read it.
    await link(part, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(part, { force: true })
  }
  return readMasterKey(file)
}

function refused(message: string, hint: string): LandfallError {
  return new LandfallError({ code: 'E_MASTER_KEY_FILE', message, hint })
}
