import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { access, constants, lstat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { accessRevoked } from '../shared/errors.ts'
import type { Places } from '../shared/places.ts'

export type HostCommand = readonly [string, ...string[]]

const maxLogBytes = 5_000_000

/** Only defined where all of this is bundled into one file, which is then the daemon too when its first argument says so. */
declare const LANDFALL_HOST_ARGUMENT: string | undefined

export function defaultHostCommand(): HostCommand {
  if (typeof LANDFALL_HOST_ARGUMENT === 'string') {
    return [process.execPath, fileURLToPath(import.meta.url), LANDFALL_HOST_ARGUMENT]
  }
  return [process.execPath, fileURLToPath(new URL('../host/main.ts', import.meta.url))]
}

/** Starts the daemon of a directory, detached and in a session of its own: it outlives us. It may lose to one that runs. */
export function startDaemon(places: Places, command: HostCommand): ChildProcess {
  mkdirSync(places.directory, { recursive: true })
  const size = statSync(places.log, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxLogBytes) renameSync(places.log, `${places.log}.1`)
  const log = openSync(places.log, 'a', 0o600)
  try {
    const [file, ...args] = command
    const { PATH, HOME, LANG, TMPDIR } = process.env
    const kept = Object.entries({ PATH, HOME, LANG, TMPDIR }).filter(([, value]) => value !== undefined)
    const child = spawn(file, [...args, '--directory', places.directory], {
      cwd: places.directory,
      // Nothing of the manager's own environment, which holds its secrets.
      env: { ...Object.fromEntries(kept), TZ: 'UTC' },
      stdio: ['ignore', log, log],
      detached: true,
    })
    child.once('error', () => {})
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

const started = new Map<string, ChildProcess>()

/**
 * Starts the daemon of a directory unless the one that this process started there last still lives: it is on its way. On a busy machine that
 * takes longer than anybody waits, and each further one would make it take longer.
 */
export function ensureDaemon(places: Places, command: HostCommand): void {
  const last = started.get(places.directory)
  if (last?.pid !== undefined && last.exitCode === null && last.signalCode === null) return
  const child = startDaemon(places, command)
  started.set(places.directory, child)
  child.once('exit', () => {
    if (started.get(places.directory) === child) started.delete(places.directory)
  })
}

/** Throws `E_ACCESS_REVOKED` unless the customer's access file is there and the directory can be used. */
export async function checkAccess(places: Places): Promise<void> {
  try {
    await access(places.directory, constants.R_OK | constants.W_OK | constants.X_OK)
    await lstat(places.access)
  } catch {
    throw accessRevoked(places.directory)
  }
}
