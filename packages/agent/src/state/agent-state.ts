import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { AgentKey } from './agent-key.ts'
import { createDataKey, readDataKey } from './data-key.ts'
import { sqliteFailure, tampered } from './refusals.ts'
import { openDatabase, schemaOf, schemaVersion, tables } from './schema.ts'
import { deriveSealer, type Sealer } from './seal.ts'
import { VersionIndex } from './version-index.ts'

const fileName = 'state.db'

/**
 * What the agent remembers: JSON values by name, each sealed with its name and version bound, and append-only logs of
 * sealed records. A value changed, swapped, taken away or put back to what it was before is found when it is read, the last
 * three already at the start. What can't be found from within is the whole file put back to an earlier moment while the
 * agent does not run.
 */
export class AgentState {
  readonly #db: DatabaseSync
  readonly #values: Sealer
  readonly #records: Sealer
  readonly #index: VersionIndex
  readonly #dataKey: Buffer

  private constructor(db: DatabaseSync, dataKey: Buffer) {
    this.#db = db
    this.#dataKey = dataKey
    this.#values = deriveSealer(dataKey, 'values')
    this.#records = deriveSealer(dataKey, 'records')
    this.#index = new VersionIndex(db, deriveSealer(dataKey, 'index'))
  }

  /**
   * Opens the state of a directory, or makes it. A wrong key is found before any file is opened for writing. Take the lock
   * (`takeLock`) around it: this does not.
   *
   * @throws LandfallError `E_AGENT_KEY_WRONG`, `E_AGENT_STATE_TAMPERED`, `E_SCHEMA_NEWER`, `E_DISK_FULL`
   */
  static open(directory: string, key: AgentKey): AgentState {
    const file = join(directory, fileName)
    const known = readDataKey(directory, key)
    // The key is always made before the database.
    if (!known && existsSync(file)) throw tampered('data.key', 'is missing')
    const dataKey = known ?? createDataKey(directory, key)
    try {
      const db = openDatabase(file)
      try {
        const state = new AgentState(db, dataKey)
        if (schemaOf(db) === 0) {
          state.#create()
          chmodSync(file, 0o600)
        }
        state.#read(() => undefined)
        return state
      } catch (error) {
        db.close()
        throw error
      }
    } catch (error) {
      throw sqliteFailure(error, fileName)
    }
  }

  /** The value of a name; undefined when there is none. @throws LandfallError `E_AGENT_STATE_TAMPERED` naming it */
  get(name: string): unknown {
    return this.#read(() => {
      const version = this.#index.versionOf(name)
      const row = this.#db.prepare('SELECT version, sealed FROM entries WHERE name = ?').get(name)
      if (version === undefined && !row) return undefined
      if (version === undefined) throw tampered(name, 'was deleted and is there again')
      if (!row) throw tampered(name, 'is missing')
      if (row.version !== version) throw tampered(name, 'is not its newest version')
      const plain = row.sealed instanceof Uint8Array ? this.#values.open(row.sealed, [name, version]) : null
      if (!plain) throw tampered(name, 'does not open')
      return JSON.parse(plain.toString('utf8')) as unknown
    })
  }

  /** Sets a value (JSON). Durable when it returns, or with the transaction around it. @throws LandfallError `E_DISK_FULL` */
  put(name: string, value: unknown): void {
    this.transaction(() => {
      const version = this.#index.advance(name)
      this.#db
        .prepare('INSERT OR REPLACE INTO entries (name, version, sealed) VALUES (?, ?, ?)')
        .run(name, version, this.#values.seal(Buffer.from(JSON.stringify(value)), [name, version]))
    })
  }

  delete(name: string): void {
    this.transaction(() => {
      if (!this.#index.remove(name)) return
      this.#db.prepare('DELETE FROM entries WHERE name = ?').run(name)
    })
  }

  /** Names that start with `prefix`, sorted. */
  names(prefix: string): string[] {
    return this.#read(() => this.#index.names().filter((name) => name.startsWith(prefix)))
  }

  /** Appends a record to a log. The caller keeps the log's end as a value, in the same transaction: that protects its tail. */
  append(log: string, number: number, record: unknown): void {
    this.transaction(() => {
      const sealed = this.#records.seal(Buffer.from(JSON.stringify(record)), [log, number])
      this.#db.prepare('INSERT INTO records (log, number, sealed) VALUES (?, ?, ?)').run(log, number, sealed)
    })
  }

  /** Records of a log with a number above `after`, at most `limit`, in order. @throws LandfallError `E_AGENT_STATE_TAMPERED` */
  records(log: string, after: number, limit: number): { number: number; record: unknown }[] {
    const query = 'SELECT number, sealed FROM records WHERE log = ? AND number > ? ORDER BY number LIMIT ?'
    const rows = this.#read(() => this.#db.prepare(query).all(log, after, limit))
    return rows.map((row) => {
      const number = Number(row.number)
      const plain = row.sealed instanceof Uint8Array ? this.#records.open(row.sealed, [log, number]) : null
      if (!plain) throw tampered(`${log}#${number}`, 'does not open')
      return { number, record: JSON.parse(plain.toString('utf8')) as unknown }
    })
  }

  /** All of `work`'s writes or none, durable when it returns. One inside another joins it. `work` is synchronous. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work()
    return this.#within('BEGIN IMMEDIATE', () => {
      const result = work()
      this.#index.flush()
      return result
    })
  }

  /** Opens every value; answers how many there are. @throws LandfallError `E_AGENT_STATE_TAMPERED` naming the first that fails */
  verify(): number {
    const names = this.names('')
    for (const name of names) this.get(name)
    return names.length
  }

  /** A sealer under a key of its own, for another file of the same agent. */
  sealer(purpose: string): Sealer {
    return deriveSealer(this.#dataKey, `other ${purpose}`)
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #create(): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      // Two first starts at once: the second finds it made.
      if (schemaOf(this.#db) === 0) {
        this.#db.exec(`${tables} PRAGMA user_version = ${schemaVersion}`)
        this.#index.create()
      }
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** In one snapshot, so that index and values are of the same moment. */
  #read<T>(work: () => T): T {
    return this.#db.isTransaction ? work() : this.#within('BEGIN', work)
  }

  #within<T>(begin: string, work: () => T): T {
    try {
      this.#db.exec(begin)
      try {
        this.#index.refresh()
        const result = work()
        this.#db.exec('COMMIT')
        this.#index.committed()
        return result
      } catch (error) {
        this.#index.forget()
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    } catch (error) {
      throw sqliteFailure(error, fileName)
    }
  }
}
