import { hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { LandfallError } from '@landfall/stack'
import { z } from 'zod'

/** What opens a backup: text that a person keeps, or 32 random bytes. */
export type BackupSecret = { kind: 'passphrase'; text: string } | { kind: 'key'; key: Buffer }

/** How the file's own key comes from the secret. In the head of the file, in plain. */
export const kdf = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('hkdf-sha256'), salt: z.base64() }),
  z.strictObject({
    name: z.literal('scrypt'),
    salt: z.base64(),
    // Bounded, so that a forged head can't take all memory of whoever opens it.
    n: z
      .int()
      .min(2 ** 14)
      .max(2 ** 20),
    r: z.literal(8),
    p: z.literal(1),
  }),
])
export type Kdf = z.infer<typeof kdf>

const saltBytes = 32
const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** OWASP's password storage cheat sheet: scrypt with N = 2^17, r = 8, p = 1 (128 MiB for the moment). */
export function newKdf(secret: BackupSecret): Kdf {
  const salt = randomBytes(saltBytes).toString('base64')
  return secret.kind === 'key' ? { name: 'hkdf-sha256', salt } : { name: 'scrypt', salt, n: 2 ** 17, r: 8, p: 1 }
}

/** 32 bytes that seal one file and no other: its salt is its own. @throws LandfallError `E_BACKUP_KEY` for a secret of another kind */
export async function fileKey(secret: BackupSecret, from: Kdf): Promise<Buffer> {
  const salt = Buffer.from(from.salt, 'base64')
  if (from.name === 'hkdf-sha256') {
    if (secret.kind !== 'key') throw refused('The backup was made with a key file, and a passphrase was given.')
    return Buffer.from(hkdfSync('sha256', secret.key, salt, 'landfall backup v1', 32))
  }
  if (secret.kind !== 'passphrase') throw refused('The backup was made with a passphrase, and a key file was given.')
  const maxmem = 256 * from.n * from.r
  return derive(secret.text.normalize('NFKC'), salt, 32, { N: from.n, r: from.r, p: from.p, maxmem })
}

/** Reads a passphrase (the first line, at least 12 characters). @throws LandfallError `E_BACKUP_KEY` */
export async function readPassphraseFile(file: string): Promise<BackupSecret> {
  const text = ((await closedFile(file)).split(/\r?\n/)[0] ?? '').trim()
  if (text.length < 12) throw refused(`The passphrase in ${file} has fewer than 12 characters.`)
  return { kind: 'passphrase', text }
}

/** Reads a key of 64 hex digits, as `openssl rand -hex 32` prints. @throws LandfallError `E_BACKUP_KEY` */
export async function readBackupKeyFile(file: string): Promise<BackupSecret> {
  const text = (await closedFile(file)).trim()
  if (!/^[0-9a-f]{64}$/i.test(text)) throw refused(`The file ${file} does not hold a key of 64 hex digits.`)
  return { kind: 'key', key: Buffer.from(text, 'hex') }
}

async function closedFile(file: string): Promise<string> {
  const info = await stat(file).catch(() => null)
  if (!info?.isFile()) throw refused(`There is no file ${file}.`)
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) {
    throw refused(`The file ${file} can be read by others on this machine: chmod 600 ${file}`)
  }
  return readFile(file, 'utf8')
}

function refused(message: string): LandfallError {
  return new LandfallError({
    code: 'E_BACKUP_KEY',
    message,
    hint: 'Give the file of the passphrase or of the key that the backup was, or is to be, made with, readable by you alone.',
  })
}
