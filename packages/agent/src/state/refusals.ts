import { LandfallError } from '@landfall/stack'

/** Something in the agent's directory is not what the agent wrote there last. `what` names it, never its content. */
export function tampered(what: string, why: string): LandfallError {
  return new LandfallError({
    code: 'E_AGENT_STATE_TAMPERED',
    message: `The agent's state was changed from outside: ${what} ${why}.`,
    hint: 'Nothing was changed by the agent. Find out who can write to its directory; restore the whole directory from a backup, or enrol the agent anew.',
    subject: `state:${what}`,
  })
}

const busy = 5
const corrupt = 11
const full = 13
const notADatabase = 26
/** SQLITE_IOERR_WRITE, _FSYNC, _TRUNCATE, _SHMSIZE: what a full disk looks like where it is met outside of the database file. */
const writeFailures = new Set([778, 1034, 1546, 4874])

/** SQLite's result code of an error of `node:sqlite`; null for any other error. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode
}

export const isBusy = (error: unknown): boolean => ((resultCode(error) ?? 0) & 0xff) === busy

export function isDamaged(error: unknown): boolean {
  const code = (resultCode(error) ?? 0) & 0xff
  return code === corrupt || code === notADatabase
}

export function isDiskFull(error: unknown): boolean {
  const code = resultCode(error) ?? 0
  return code === full || writeFailures.has(code)
}

/** `E_DISK_FULL` or `E_AGENT_STATE_TAMPERED` for an error of SQLite that says so; any other error as it is. */
export function sqliteFailure(error: unknown, file: string): unknown {
  if (isDiskFull(error)) {
    return new LandfallError({
      code: 'E_DISK_FULL',
      message: `The agent could not write ${file}: the disk is full.`,
      hint: 'Make room. Nothing was half written, and the agent goes on by itself when there is room.',
      retryable: true,
      subject: `file:${file}`,
      cause: error,
    })
  }
  return isDamaged(error) ? tampered(file, 'is damaged') : error
}
