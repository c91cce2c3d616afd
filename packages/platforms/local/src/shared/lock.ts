import { DatabaseSync } from 'node:sqlite'

/** SQLite's lock on a file of its own: the kernel gives it back when its holder is killed. Null when another holds it. */
export function takeLock(path: string): DatabaseSync | null {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    return lock
  } catch {
    lock.close()
    return null
  }
}
