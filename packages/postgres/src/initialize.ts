import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LandfallError } from '@landfall/stack'
import type { Binaries } from './binaries.ts'
import { places } from './places.ts'
import type { ServerUser } from './user.ts'

export const superuser = 'landfall'
const aside = 'initdb-'

/**
 * Makes the cluster at `<parent>/data` if there is none. It is made aside and renamed, so that a start that was killed
 * half way leaves nothing that looks like a cluster; what it left is taken away. The caller holds the directory's lock.
 */
export async function initialize(
  directory: string,
  parent: string,
  binaries: Binaries,
  user: ServerUser | null,
): Promise<void> {
  const target = join(parent, 'data')
  if (await stat(join(target, 'PG_VERSION')).catch(() => null)) return
  const password = await ensurePassword(directory)
  for (const name of await readdir(parent)) {
    if (name.startsWith(aside)) await rm(join(parent, name), { recursive: true, force: true })
  }
  const scratch = await mkdtemp(join(parent, aside))
  try {
    const passwordFile = join(scratch, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (user) {
      await chown(passwordFile, user.uid, user.gid)
      await chown(scratch, user.uid, user.gid)
    }
    const made = join(scratch, 'data')
    await promisify(execFile)(
      binaries.initdb,
      [
        ...['--pgdata', made, '--username', superuser, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
        // The built-in provider needs no locale of the machine, and sorts the same everywhere.
        ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
        '--no-sync',
        '--no-instructions',
      ],
      { cwd: scratch, env: { PATH: '/usr/bin:/bin' }, timeout: 120_000, ...(user ?? {}) },
    ).catch((cause: Error & { stderr?: string }) => {
      throw new LandfallError({
        code: 'E_POSTGRES_START',
        message: `initdb failed: ${(cause.stderr ?? cause.message).trim().split('\n').slice(-3).join(' ')}`,
        hint: `Check free space and permissions of ${parent}.`,
        cause,
      })
    })
    await rename(made, target)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The password of the one user; made once, before the cluster, so that a cluster without a known password can't exist. */
async function ensurePassword(directory: string): Promise<string> {
  const { password } = places(directory)
  const known = await stat(password).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  // Empty: killed between its making and its writing.
  if (!known?.size) {
    const part = `${password}.new`
    await rm(part, { force: true })
    await writeFile(part, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true })
    await rename(part, password)
  }
  await chmod(password, 0o600)
  return readFile(password, 'utf8')
}
