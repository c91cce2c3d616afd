import { DatabaseSync } from 'node:sqlite'
import type { Digest } from '@landfall/stack'
import type { ResourceSpec, VersionSpec } from '../../shared/control.ts'
import { Sql } from '../../shared/sql.ts'

const schema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS resources (name TEXT PRIMARY KEY, spec TEXT NOT NULL, revision INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS secrets (name TEXT, version INTEGER, sealed BLOB NOT NULL, PRIMARY KEY (name, version)) STRICT;
CREATE TABLE IF NOT EXISTS workers (
  name TEXT PRIMARY KEY, revision INTEGER NOT NULL, shares TEXT NOT NULL, triggers TEXT, port INTEGER,
  removing INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS versions (
  worker TEXT, id TEXT, spec TEXT NOT NULL, instances INTEGER NOT NULL, retiring INTEGER NOT NULL DEFAULT 0,
  token BLOB NOT NULL, counters TEXT, PRIMARY KEY (worker, id)) STRICT;
CREATE TABLE IF NOT EXISTS processes (
  instance TEXT PRIMARY KEY, worker TEXT NOT NULL, version TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL) STRICT;
`

export interface WorkerRow {
  name: string
  revision: number
  shares: Readonly<Record<Digest, number>>
  triggers: Digest | null
  port: number | null
  removing: boolean
}

export interface VersionRow {
  spec: VersionSpec
  instances: number
  retiring: boolean
  token: Uint8Array
  counters: string | null
}

/** Desired state of the host, and the record of the processes it started. Every write is on disk when it returns. */
export class HostStore {
  readonly sql: Sql

  constructor(path: string) {
    const database = new DatabaseSync(path, { timeout: 2_000 })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    database.exec(schema)
    this.sql = new Sql(database)
  }

  close(): void {
    this.sql.database.close()
  }

  meta(key: string): string | null {
    return this.sql.get<{ value: string }>('SELECT value FROM meta WHERE key = ?', key)?.value ?? null
  }

  setMeta(key: string, value: string | null): void {
    if (value === null) this.sql.run('DELETE FROM meta WHERE key = ?', key)
    else
      this.sql.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value)
  }

  resource(name: string): { spec: ResourceSpec; revision: number } | null {
    const row = this.sql.get<{ spec: string; revision: number }>('SELECT * FROM resources WHERE name = ?', name)
    return row && { spec: JSON.parse(row.spec) as ResourceSpec, revision: row.revision }
  }

  resources(): { name: string; spec: ResourceSpec }[] {
    return this.sql
      .all<{ name: string; spec: string }>('SELECT name, spec FROM resources ORDER BY name')
      .map(({ name, spec }) => ({ name, spec: JSON.parse(spec) as ResourceSpec }))
  }

  putResource(name: string, spec: ResourceSpec): void {
    this.sql.run(
      `INSERT INTO resources VALUES (?, ?, 1)
       ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, revision = revision + 1`,
      name,
      JSON.stringify(spec),
    )
  }

  deleteResource(name: string): void {
    this.sql.transaction(() => {
      this.sql.run('DELETE FROM secrets WHERE name = ?', name)
      this.sql.run('DELETE FROM resources WHERE name = ?', name)
    })
  }

  secret(name: string, version: number): Uint8Array | null {
    const row = this.sql.get<{ sealed: Uint8Array }>(
      'SELECT sealed FROM secrets WHERE name = ? AND version = ?',
      name,
      version,
    )
    return row?.sealed ?? null
  }

  /** Keeps older versions that a worker's version still names, so that going back finds its secrets. */
  putSecret(name: string, version: number, sealed: Uint8Array): void {
    const used = new Set([version, ...this.allVersions().map(({ row }) => row.spec.secrets[name])])
    this.sql.transaction(() => {
      for (const row of this.sql.all<{ version: number }>('SELECT version FROM secrets WHERE name = ?', name)) {
        if (!used.has(row.version))
          this.sql.run('DELETE FROM secrets WHERE name = ? AND version = ?', name, row.version)
      }
      this.sql.run('INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)', name, version, sealed)
      this.putResource(name, { type: 'secret', version })
    })
  }

  worker(name: string): WorkerRow | null {
    const row = this.sql.get<Omit<WorkerRow, 'shares' | 'removing'> & { shares: string; removing: number }>(
      'SELECT * FROM workers WHERE name = ?',
      name,
    )
    return row && { ...row, shares: JSON.parse(row.shares) as WorkerRow['shares'], removing: row.removing === 1 }
  }

  workerNames(): string[] {
    return this.sql.all<{ name: string }>('SELECT name FROM workers ORDER BY name').map(({ name }) => name)
  }

  createWorker(name: string): void {
    this.sql.run("INSERT OR IGNORE INTO workers (name, revision, shares) VALUES (?, 1, '{}')", name)
  }

  updateWorker(name: string, change: Partial<Pick<WorkerRow, 'shares' | 'triggers' | 'removing'>>): void {
    const before = this.worker(name)
    if (!before) return
    const after = { ...before, ...change }
    this.sql.run(
      'UPDATE workers SET revision = revision + 1, shares = ?, triggers = ?, removing = ? WHERE name = ?',
      ...[JSON.stringify(after.shares), after.triggers, after.removing ? 1 : 0, name],
    )
  }

  /** Not a change of what was asked for: the revision stays. */
  savePort(name: string, port: number): void {
    this.sql.run('UPDATE workers SET port = ? WHERE name = ?', port, name)
  }

  deleteWorker(name: string): void {
    this.sql.run('DELETE FROM workers WHERE name = ?', name)
  }

  versions(worker: string): VersionRow[] {
    return this.sql
      .all<{ spec: string; instances: number; retiring: number; token: Uint8Array; counters: string | null }>(
        'SELECT spec, instances, retiring, token, counters FROM versions WHERE worker = ? ORDER BY rowid',
        worker,
      )
      .map((row) => ({ ...row, spec: JSON.parse(row.spec) as VersionSpec, retiring: row.retiring === 1 }))
  }

  allVersions(): { worker: string; row: VersionRow }[] {
    return this.workerNames().flatMap((worker) => this.versions(worker).map((row) => ({ worker, row })))
  }

  /** Bumps the worker's revision in the same transaction. `token` is kept where the version exists. */
  putVersion(worker: string, spec: VersionSpec, instances: number, token: Uint8Array): void {
    this.sql.transaction(() => {
      this.createWorker(worker)
      this.sql.run(
        `INSERT INTO versions (worker, id, spec, instances, token) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (worker, id) DO UPDATE SET spec = excluded.spec, instances = excluded.instances, retiring = 0`,
        ...[worker, spec.id, JSON.stringify(spec), instances, token],
      )
      this.sql.run('UPDATE workers SET revision = revision + 1, removing = 0 WHERE name = ?', worker)
    })
  }

  retireVersion(worker: string, id: Digest): void {
    this.sql.transaction(() => {
      this.sql.run('UPDATE versions SET retiring = 1 WHERE worker = ? AND id = ?', worker, id)
      this.sql.run('UPDATE workers SET revision = revision + 1 WHERE name = ?', worker)
    })
  }

  deleteVersion(worker: string, id: Digest): void {
    this.sql.run('DELETE FROM versions WHERE worker = ? AND id = ?', worker, id)
  }

  saveCounters(worker: string, id: Digest, counters: string): void {
    this.sql.run('UPDATE versions SET counters = ? WHERE worker = ? AND id = ?', counters, worker, id)
  }

  recordProcess(instance: string, worker: string, version: string, pid: number, started: string): void {
    this.sql.run('INSERT OR REPLACE INTO processes VALUES (?, ?, ?, ?, ?)', instance, worker, version, pid, started)
  }

  forgetProcess(instance: string): void {
    this.sql.run('DELETE FROM processes WHERE instance = ?', instance)
  }

  processes(): { instance: string; pid: number; started: string }[] {
    return this.sql.all('SELECT instance, pid, started FROM processes')
  }
}
