import { DatabaseSync } from 'node:sqlite'
import { LandfallError } from '@landfall/stack'

export const schemaVersion = 1

/** `entries` are values, `pages` the index over their versions (page -1 is its root), `records` append-only logs. */
export const tables = `
  CREATE TABLE entries (name TEXT PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE pages (page INTEGER PRIMARY KEY, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE records (log TEXT NOT NULL, number INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (log, number)) STRICT;
`

/** Opens a database file, in WAL mode and with every commit on the disk before it returns. */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 })
  try {
    refuseNewer(database)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The schema of an open database; 0 for a new one. */
export function schemaOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

function refuseNewer(database: DatabaseSync): void {
  const found = schemaOf(database)
  if (found <= schemaVersion) return
  throw new LandfallError({
    code: 'E_SCHEMA_NEWER',
    message: `The agent's state has schema ${found}, this agent knows ${schemaVersion}: a newer agent wrote it.`,
    hint: 'Start the version of the agent that ran before, or a newer one. Nothing was changed.',
  })
}
