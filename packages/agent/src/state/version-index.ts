import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { tampered } from './refusals.ts'
import type { Sealer } from './seal.ts'

const pageCount = 64
const root = -1

/**
 * Which version of each value is the newest, itself sealed: without it a value put back to an older version would open, as
 * that one was once right. Two levels, so that a write costs a page and not the whole: the root seals the versions of the pages,
 * a page seals the versions of its names. Versions come from one counter and are never used twice.
 */
export class VersionIndex {
  readonly #db: DatabaseSync
  readonly #sealer: Sealer
  /** Null when memory may differ from the disk. */
  #pages: Map<string, number>[] | null = null
  #pageVersions: number[] = []
  #dirty = new Set<number>()
  /** Newest version given out, and, where nothing is dirty, that of the root. */
  #counter = 0
  /** Root version of the newest commit that was seen. */
  #seen = 0

  constructor(db: DatabaseSync, sealer: Sealer) {
    this.#db = db
    this.#sealer = sealer
  }

  /** Writes the root of an empty state. */
  create(): void {
    this.#write(
      root,
      1,
      Array.from({ length: pageCount }, () => 0),
    )
  }

  versionOf(name: string): number | undefined {
    return this.#page(pageOf(name)).get(name)
  }

  names(): string[] {
    return Array.from({ length: pageCount }, (_, page) => [...this.#page(page).keys()])
      .flat()
      .sort()
  }

  /** Gives the next version to a name. */
  advance(name: string): number {
    const page = pageOf(name)
    this.#counter += 1
    this.#page(page).set(name, this.#counter)
    this.#dirty.add(page)
    return this.#counter
  }

  /** Takes a name out; false when it is not in. */
  remove(name: string): boolean {
    const page = pageOf(name)
    if (!this.#page(page).delete(name)) return false
    this.#dirty.add(page)
    return true
  }

  /** Writes what changed; within the transaction of the change. */
  flush(): void {
    if (this.#dirty.size === 0) return
    for (const page of this.#dirty) {
      this.#counter += 1
      this.#pageVersions[page] = this.#counter
      this.#write(page, this.#counter, Object.fromEntries(this.#page(page)))
    }
    this.#dirty.clear()
    this.#counter += 1
    this.#write(root, this.#counter, this.#pageVersions)
  }

  committed(): void {
    this.#seen = this.#counter
  }

  /** After a rollback. */
  forget(): void {
    this.#pages = null
    this.#dirty.clear()
  }

  /**
   * Reads the index again where the disk has moved on, as it does when another process took over (that one is fenced by epochs).
   * @throws LandfallError `E_AGENT_STATE_TAMPERED`
   */
  refresh(): void {
    const version = this.#db.prepare('SELECT version FROM pages WHERE page = ?').get(root)?.version
    if (typeof version !== 'number') throw tampered('index', 'is missing')
    if (version < this.#seen) throw tampered('index', 'is older than what the agent wrote last')
    if (this.#pages !== null && version === this.#counter) return
    const versions = this.#open(root, 'index') as number[]
    this.#pages = versions.map((expected, page) => {
      if (expected === 0) return new Map<string, number>()
      return new Map(Object.entries(this.#open(page, `index page ${page}`, expected) as Record<string, number>))
    })
    this.#pageVersions = versions
    this.#counter = version
    this.#compare()
  }

  /** That each value is there in its newest version, and none that was deleted. */
  #compare(): void {
    const found = new Set<string>()
    for (const row of this.#db.prepare('SELECT name, version FROM entries').iterate()) {
      const name = String(row.name)
      const expected = this.versionOf(name)
      if (expected === undefined) throw tampered(name, 'was deleted and is there again')
      if (expected !== row.version) throw tampered(name, 'is not its newest version')
      found.add(name)
    }
    const missing = this.names().find((name) => !found.has(name))
    if (missing !== undefined) throw tampered(missing, 'is missing')
  }

  #open(page: number, what: string, expected?: number): unknown {
    const row = this.#db.prepare('SELECT version, sealed FROM pages WHERE page = ?').get(page)
    if (!row) throw tampered(what, 'is missing')
    if (expected !== undefined && row.version !== expected) throw tampered(what, 'is not its newest version')
    const plain = row.sealed instanceof Uint8Array ? this.#sealer.open(row.sealed, [page, Number(row.version)]) : null
    if (!plain) throw tampered(what, 'does not open')
    return JSON.parse(plain.toString('utf8')) as unknown
  }

  #write(page: number, version: number, content: unknown): void {
    const sealed = this.#sealer.seal(Buffer.from(JSON.stringify(content)), [page, version])
    this.#db.prepare('INSERT OR REPLACE INTO pages (page, version, sealed) VALUES (?, ?, ?)').run(page, version, sealed)
  }

  #page(page: number): Map<string, number> {
    const found = this.#pages?.[page]
    if (!found) throw new RangeError('the index is used outside of a transaction')
    return found
  }
}

const pageOf = (name: string): number => (createHash('sha256').update(name).digest()[0] ?? 0) % pageCount
