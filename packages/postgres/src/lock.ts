import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { LandfallError } from '@landfall/stack'

/**
 * Runs `body` while no other starter, of any process, works on the same file. SQLite's lock is used because the kernel
 * gives it back when its holder is killed, which a file with a pid in it does not.
 */
export async function withLock<T>(path: string, deadline: number, body: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    for (;;) {
      try {
        database.exec('BEGIN EXCLUSIVE')
        break
      } catch (cause) {
        if (Date.now() < deadline) {
          await sleep(25)
          continue
        }
        throw new LandfallError({
          code: 'E_POSTGRES_START',
          message: 'Another process has been starting this PostgreSQL for too long.',
          hint: 'Wait for it, or end it.',
          retryable: true,
          cause,
        })
      }
    }
    return await body()
  } finally {
    database.close()
  }
}
