import { createHash } from 'node:crypto'
import { chmod, mkdir, readlink, realpath, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { reachableBy, type ServerUser } from './user.ts'

/** What is in a directory given to `startPostgres`. */
export function places(directory: string) {
  return {
    /** The cluster, or a link to it. */
    data: join(directory, 'data'),
    /** 0600; made once. */
    password: join(directory, 'password'),
    /** The port last used, so that the address stays the same over restarts. */
    port: join(directory, 'port'),
    /** Held by whoever starts the server. */
    lock: join(directory, 'lock'),
    log: join(directory, 'postgres.log'),
  }
}

/** Where clusters go that root keeps in a directory which the server's user can't reach. */
export const sharedBase = process.platform === 'darwin' ? '/var/db/landfall-postgres' : '/var/lib/landfall-postgres'

/**
 * The directory that holds (or will hold) the cluster's own directory. For root below a closed directory (a checkout in
 * `/root`) that is one under `/var/lib`, and `directory/data` becomes a link to it.
 */
export async function clusterParent(directory: string, user: ServerUser | null): Promise<string> {
  if (user === null || (await reachableBy(user, directory))) return directory
  const hash = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex')
    .slice(0, 16)
  const parent = join(sharedBase, hash)
  for (const path of [sharedBase, parent]) {
    await mkdir(path, { recursive: true })
    // By itself, because the caller's umask would take the bits away that let the server's user in.
    await chmod(path, 0o711)
  }
  return parent
}

export async function linkData(directory: string, parent: string): Promise<void> {
  if (parent === directory) return
  const { data } = places(directory)
  const existing = await readlink(data).catch(() => null)
  if (existing !== null) return
  await symlink(join(parent, 'data'), data)
}
