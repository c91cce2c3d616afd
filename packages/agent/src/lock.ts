import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LandfallError } from '@landfall/stack'
import { isBusy, sqliteFailure } from './state/refusals.ts'

export interface AgentLock {
  release(): void
}

/**
 * Takes the lock of an agent's directory: SQLite's exclusive lock on a file of its own, so the kernel gives it back when the
 * process is killed. On a file system without locks (some network ones) it does not hold; epochs still fence there.
 *
 * @throws LandfallError `E_AGENT_RUNNING` when another process holds it, `E_DISK_FULL`
 */
export function takeLock(directory: string, name = 'agent.lock'): AgentLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(join(directory, name), { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw sqliteFailure(error, name)
    throw new LandfallError({
      code: 'E_AGENT_RUNNING',
      message: `Another process holds ${name} in ${directory}.`,
      hint: 'Only one agent works on a directory. Stop the other one, or give this one a directory of its own.',
      retryable: true,
    })
  }
  return { release: () => database.isOpen && database.close() }
}
