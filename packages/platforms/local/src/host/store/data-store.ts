import { DatabaseSync } from 'node:sqlite'
import { Sql } from '../../shared/sql.ts'

const schema = `
CREATE TABLE IF NOT EXISTS sequence (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO sequence VALUES (1, 0);
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT, key TEXT, file TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL,
  modified INTEGER NOT NULL, PRIMARY KEY (resource, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
  resource TEXT, collection TEXT, key TEXT, version INTEGER NOT NULL, value BLOB NOT NULL, expires INTEGER,
  PRIMARY KEY (resource, collection, key)) STRICT;
CREATE INDEX IF NOT EXISTS items_expires ON items (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, resource TEXT NOT NULL, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
  type TEXT NOT NULL, enqueued INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, visible INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS messages_visible ON messages (resource, visible, seq);
CREATE TABLE IF NOT EXISTS dead (
  seq INTEGER PRIMARY KEY, resource TEXT NOT NULL, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, type TEXT NOT NULL,
  enqueued INTEGER NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS dead_resource ON dead (resource);
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT NOT NULL, slot TEXT, payload TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,
  next INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS events_due ON events (worker, next, seq);
CREATE TABLE IF NOT EXISTS cron (
  worker TEXT, schedule TEXT, last INTEGER NOT NULL, PRIMARY KEY (worker, schedule)) STRICT;
`

/**
 * What workers keep: the index of objects, items, messages, and the events on their way to workers. Every write is on
 * disk when it returns, because a message that was accepted must survive a power cut too.
 */
export function openDataStore(path: string): Sql {
  const database = new DatabaseSync(path, { timeout: 2_000 })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  database.exec(schema)
  return new Sql(database)
}

/** A number never given before, for versions that must not come again after a delete. */
export function nextSequence(sql: Sql): number {
  const row = sql.get<{ n: number }>('UPDATE sequence SET n = n + 1 RETURNING n')
  return row?.n ?? 0
}

/** The end of the range of keys that start with `prefix`, in SQLite's binary order of UTF-8. */
export function prefixEnd(prefix: string): string {
  return `${prefix}\u{10FFFF}\u{10FFFF}`
}
