import { join } from 'node:path'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Clock } from '@landfall/engine'
import { isDiskFull, sqliteFailure } from '../state/refusals.ts'
import type { Sealer } from '../state/seal.ts'
import { defaultSpoolLimits, type SpoolLimits } from './limits.ts'
import { openSpoolFile, Reserve } from './spool-file.ts'

export type Signal = 'logs' | 'metrics' | 'traces'
const signals: readonly Signal[] = ['logs', 'metrics', 'traces']

/** An OTLP request body as it came. */
export interface Payload {
  signal: Signal
  encoding: 'protobuf' | 'json'
  body: Uint8Array
}

export interface SpoolItem extends Payload {
  id: number
  /** When it came, in milliseconds. */
  at: number
}

/**
 * Why a payload was dropped: `size` it had to make room (or was larger than the spool), `age` nobody took it in time, `disk-full`,
 * `damaged` it does not open, or a file was put aside (then one is counted, without bytes), `refused` the manager took it for broken.
 */
export type DropReason = 'size' | 'age' | 'disk-full' | 'damaged' | 'refused'

/** Since the spool was made: totals, so that a report that comes twice or not at all does no harm. */
export interface Drops {
  reason: DropReason
  /** `unknown` where it can't be told any more. */
  signal: Signal | 'unknown'
  items: number
  bytes: number
}

export interface SpoolStats {
  items: number
  bytes: number
  /** When the oldest came, in milliseconds. */
  oldestAt: number | null
  drops: Drops[]
}

export interface SpoolOptions {
  directory: string
  sealer: Sealer
  clock: Clock
  limits?: SpoolLimits
}

/**
 * Telemetry on its way to the manager, kept on the disk while there is no way: sealed, bounded in bytes and age, the oldest
 * dropped first and every drop counted. At least once: a batch is there again until it is acknowledged.
 */
export class Spool {
  readonly #db: DatabaseSync
  readonly #reserve: Reserve
  readonly #sealer: Sealer
  readonly #clock: Clock
  readonly #limits: SpoolLimits
  #bytes = 0
  /** Drops that could not be written yet; one for each reason and signal. */
  readonly #unwritten = new Map<string, Drops>()

  /** @throws LandfallError `E_DISK_FULL`, `E_SCHEMA_NEWER` */
  constructor(options: SpoolOptions) {
    this.#sealer = options.sealer
    this.#clock = options.clock
    this.#limits = options.limits ?? defaultSpoolLimits
    const file = join(options.directory, 'spool.db')
    this.#reserve = new Reserve(`${file}.reserve`)
    try {
      const { db, damaged } = openSpoolFile(file)
      this.#db = db
      this.#bytes = this.#count().bytes
      if (damaged) this.#remember({ reason: 'damaged', signal: 'unknown', items: 1, bytes: 0 })
    } catch (error) {
      throw sqliteFailure(error, 'spool.db')
    }
    this.#reserve.restore()
  }

  /**
   * Keeps a payload; answers whether it was (one larger than the whole spool is dropped).
   * @throws LandfallError `E_DISK_FULL`: this payload was dropped and counted, what was kept before stays
   */
  append(payload: Payload): boolean {
    const bytes = payload.body.byteLength
    if (bytes > this.#limits.maxBytes) {
      this.#remember({ reason: 'size', signal: payload.signal, items: 1, bytes })
      return false
    }
    const at = this.#clock.now()
    const { signal, encoding, body } = payload
    const sealed = this.#sealer.seal(body, [at, signal, encoding])
    const insert = 'INSERT INTO items (at, signal, encoding, bytes, sealed) VALUES (?, ?, ?, ?, ?)'
    const write = () => {
      this.#makeRoom(bytes)
      this.#db.prepare(insert).run(at, signal, encoding, bytes, sealed)
      this.#bytes += bytes
    }
    try {
      // The room kept back is for the journal only: the payload itself must fit in what the file has free.
      if (this.#free() > 2 * sealed.byteLength) this.#attemptFull(write)
      else this.#transaction(write)
      this.#reserve.restore()
      return true
    } catch (error) {
      if (isDiskFull(error)) this.#remember({ reason: 'disk-full', signal, items: 1, bytes })
      throw sqliteFailure(error, 'spool.db')
    }
  }

  /**
   * The oldest payloads, at most `maxItems` of at most `maxBytes` together, but one at least where there is one. Takes
   * nothing out: acknowledge what arrived.
   */
  take(bounds: { maxItems: number; maxBytes: number }): SpoolItem[] {
    this.#attempt(() => this.#makeRoom(0))
    const taken: SpoolItem[] = []
    const broken: Row[] = []
    let bytes = 0
    for (const row of this.#db.prepare('SELECT * FROM items ORDER BY id').iterate()) {
      if (taken.length >= bounds.maxItems || (taken.length > 0 && bytes + Number(row.bytes) > bounds.maxBytes)) break
      const item = this.#open(row)
      if (item) taken.push(item)
      else broken.push({ id: row.id ?? 0, bytes: row.bytes ?? 0, signal: row.signal ?? '' })
      bytes += item ? item.body.byteLength : 0
    }
    if (broken.length > 0) this.#attempt(() => this.#drop(broken, 'damaged'))
    return taken
  }

  /** Payloads after an id, oldest first, bounded as in `take`: for handing all of it on without taking it out. */
  after(id: number, bounds: { maxItems: number; maxBytes: number }): SpoolItem[] {
    const found: SpoolItem[] = []
    let bytes = 0
    for (const row of this.#db.prepare('SELECT * FROM items WHERE id > ? ORDER BY id').iterate(id)) {
      if (found.length >= bounds.maxItems || (found.length > 0 && bytes + Number(row.bytes) > bounds.maxBytes)) break
      const item = this.#open(row)
      if (!item) continue
      found.push(item)
      bytes += item.body.byteLength
    }
    return found
  }

  /** The highest id there is; 0 without any. */
  newest(): number {
    return Number(this.#db.prepare('SELECT max(id) AS id FROM items').get()?.id ?? 0)
  }

  /** The newest payloads of a signal, oldest of them first. */
  recent(signal: Signal, limit: number): SpoolItem[] {
    const rows = this.#db.prepare('SELECT * FROM items WHERE signal = ? ORDER BY id DESC LIMIT ?').all(signal, limit)
    return rows.flatMap((row) => this.#open(row) ?? []).reverse()
  }

  /**
   * Forgets everything up to an id that came no later than `at`, and answers how many: both, because a file that was put aside as
   * damaged took its ids with it.
   *
   * @throws LandfallError `E_DISK_FULL`
   */
  forgetThrough(id: number, at: number): number {
    const rows = this.#db.prepare('SELECT id FROM items WHERE id <= ? AND at <= ?').all(id, at)
    this.acknowledge(rows.map((row) => Number(row.id)))
    return rows.length
  }

  /** Forgets what has arrived. Ids that are gone already do no harm. @throws LandfallError `E_DISK_FULL`, when it is to be said again */
  acknowledge(ids: readonly number[]): void {
    try {
      this.#attemptFull(() => {
        const take = this.#db.prepare('DELETE FROM items WHERE id = ? RETURNING bytes')
        for (const id of ids) this.#bytes -= Number(take.get(id)?.bytes ?? 0)
      })
    } catch (error) {
      throw sqliteFailure(error, 'spool.db')
    }
    this.#reserve.restore()
  }

  /** Forgets what is never to arrive, and counts it. @throws LandfallError `E_DISK_FULL`, when it is to be said again */
  discard(ids: readonly number[], reason: DropReason): void {
    try {
      this.#attemptFull(() => {
        const find = this.#db.prepare('SELECT id, bytes, signal FROM items WHERE id = ?')
        this.#drop(
          ids.map((id) => find.get(id)).filter((row) => row !== undefined),
          reason,
        )
      })
    } catch (error) {
      throw sqliteFailure(error, 'spool.db')
    }
    this.#reserve.restore()
  }

  stats(): SpoolStats {
    const totals = new Map<string, Drops>()
    const written = this.#db.prepare('SELECT reason, signal, items, bytes FROM drops').all() as unknown as Drops[]
    for (const drop of [...written, ...this.#unwritten.values()]) addTo(totals, drop)
    return { ...this.#count(), drops: [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, drop]) => drop) }
  }

  close(): void {
    if (!this.#db.isOpen) return
    this.#attempt(() => {})
    this.#db.close()
  }

  /** Drops what is too old, then the oldest until `bytes` more fit. */
  #makeRoom(bytes: number): void {
    const tooOld = this.#clock.now() - this.#limits.maxAgeMs
    this.#drop(this.#db.prepare('SELECT id, bytes, signal FROM items WHERE at < ?').all(tooOld), 'age')
    let over = this.#bytes + bytes - this.#limits.maxBytes
    if (over <= 0) return
    const victims: Row[] = []
    for (const row of this.#db.prepare('SELECT id, bytes, signal FROM items ORDER BY id').iterate()) {
      if (over <= 0) break
      victims.push(row)
      over -= Number(row.bytes)
    }
    this.#drop(victims, 'size')
  }

  #drop(rows: readonly Row[], reason: DropReason): void {
    for (const row of rows) {
      const bytes = Number(row.bytes)
      this.#db.prepare('DELETE FROM items WHERE id = ?').run(Number(row.id))
      this.#bytes -= bytes
      this.#write({ reason, signal: signalOf(row.signal) ?? 'unknown', items: 1, bytes })
    }
  }

  #remember(drop: Drops): void {
    addTo(this.#unwritten, drop)
  }

  #write({ reason, signal, items, bytes }: Drops): void {
    this.#db
      .prepare(
        `INSERT INTO drops (reason, signal, items, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
         SET items = items + excluded.items, bytes = bytes + excluded.bytes`,
      )
      .run(reason, signal, items, bytes)
  }

  #open(row: Row): SpoolItem | null {
    const at = Number(row.at)
    const signal = signalOf(row.signal)
    const encoding = row.encoding === 'json' ? 'json' : 'protobuf'
    const body = row.sealed instanceof Uint8Array ? this.#sealer.open(row.sealed, [at, signal ?? '', encoding]) : null
    return body && signal ? { id: Number(row.id), at, signal, encoding, body } : null
  }

  #count(): { items: number; bytes: number; oldestAt: number | null } {
    const row = this.#db.prepare('SELECT count(*) AS items, sum(bytes) AS bytes, min(at) AS oldest FROM items').get()
    const oldestAt = row?.oldest
    return {
      items: Number(row?.items ?? 0),
      bytes: Number(row?.bytes ?? 0),
      oldestAt: typeof oldestAt === 'number' ? oldestAt : null,
    }
  }

  /** With the drops that wait to be written; memory goes back with the disk when it fails. */
  #transaction(work: () => void): void {
    const bytes = this.#bytes
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      work()
      for (const drop of this.#unwritten.values()) this.#write(drop)
      this.#db.exec('COMMIT')
      this.#unwritten.clear()
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#bytes = bytes
      throw error
    }
  }

  /** Where the disk is full, with the room that was kept back; the journal is emptied then, so that it can be kept back again. */
  #attemptFull(work: () => void): void {
    try {
      this.#transaction(work)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#reserve.give()
      try {
        this.#transaction(work)
      } finally {
        this.#emptyJournal()
        this.#reserve.restore()
      }
    }
  }

  #emptyJournal(): void {
    try {
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch (error) {
      if (!isDiskFull(error)) throw error
    }
  }

  /** Bytes of the file that were used before and are free. */
  #free(): number {
    const pages = this.#db.prepare('PRAGMA freelist_count').get()?.freelist_count
    return Number(pages ?? 0) * 4_096
  }

  /** Housekeeping: on a full disk it is done the next time. */
  #attempt(work: () => void): void {
    try {
      this.#attemptFull(work)
    } catch (error) {
      if (!isDiskFull(error)) throw error
    }
  }
}

type Row = Readonly<Record<string, SQLOutputValue>>

const signalOf = (text: unknown): Signal | undefined => signals.find((signal) => signal === text)

function addTo(totals: Map<string, Drops>, drop: Drops): void {
  const key = `${drop.reason} ${drop.signal}`
  const before = totals.get(key) ?? { items: 0, bytes: 0 }
  totals.set(key, { ...drop, items: before.items + drop.items, bytes: before.bytes + drop.bytes })
}
