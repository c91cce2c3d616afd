import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { LandfallError } from '@landfall/stack'

/** Whom the server runs as when we are root: PostgreSQL refuses to run as root. */
export interface ServerUser {
  uid: number
  gid: number
}

const run = promisify(execFile)

/** The user to drop to, or null when we are not root. A data directory that exists keeps its owner. */
export async function serverUser(existingData: string): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null
  const existing = await stat(existingData).catch(() => null)
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid }
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]).catch(() => null)
    if (!ids) continue
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout.trim()))
    if (uid !== undefined && gid !== undefined && uid > 0) return { uid, gid }
  }
  throw new LandfallError({
    code: 'E_POSTGRES_USER',
    message: 'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody".',
    hint: 'Create a user named postgres, or run Landfall as an ordinary user.',
  })
}

/** Whether `user` may enter `path` and each directory above it, by mode bits alone. */
export async function reachableBy(user: ServerUser, path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at)
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
    if (((mode >> shift) & 1) === 0) return false
    if (dirname(at) === at) return true
  }
}
