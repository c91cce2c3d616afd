import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LandfallError } from '@landfall/stack'
import { isDamaged } from '../state/refusals.ts'

const schemaVersion = 1
const reserveBytes = 512 * 1024

// `items` has AUTOINCREMENT: an id that was acknowledged late must never mean another payload.
const tables = `
  CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, signal TEXT NOT NULL,
    encoding TEXT NOT NULL, bytes INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE drops (reason TEXT NOT NULL, signal TEXT NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (reason, signal)) STRICT;
  PRAGMA user_version = ${schemaVersion};
`

/**
 * Opens the file of a spool. One that is damaged beyond what the journal repairs is put aside as `FILE.damaged` (the newest is
 * kept) and a new one begun: telemetry is not worth an agent that does not start.
 */
export function openSpoolFile(file: string): { db: DatabaseSync; damaged: boolean } {
  try {
    return { db: open(file), damaged: false }
  } catch (error) {
    if (!isDamaged(error)) throw error
  }
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  renameSync(file, `${file}.damaged`)
  return { db: open(file), damaged: true }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    if (version > schemaVersion) {
      throw new LandfallError({
        code: 'E_SCHEMA_NEWER',
        message: `The telemetry spool has schema ${version}, this agent knows ${schemaVersion}: a newer agent wrote it.`,
        hint: 'Start the version of the agent that ran before, or a newer one. Nothing was changed.',
      })
    }
    // NORMAL: a killed process loses nothing, a power cut at most the newest payloads; in return a payload costs no fsync.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 1048576')
    db.exec('PRAGMA wal_autocheckpoint = 64')
    if (version === 0) {
      db.exec(`BEGIN IMMEDIATE; ${tables} COMMIT`)
      chmodSync(file, 0o600)
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Room kept back on the disk: a delete writes to the journal first, so without it a full disk could never be emptied.
 */
export class Reserve {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  give(): void {
    rmSync(this.#file, { force: true })
  }

  /** Takes it back where there is room. */
  restore(): void {
    if (existsSync(this.#file)) return
    try {
      writeFileSync(this.#file, Buffer.alloc(reserveBytes), { mode: 0o600 })
    } catch {
      // Still no room: what is there of it would only be in the way.
      this.give()
    }
  }
}
