import { rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { runChild } from '../testing/run-child.ts'
import { filesOf, newKey, scratch } from '../testing/scratch.ts'
import { AgentState } from './agent-state.ts'

const files = scratch()
afterAll(() => files.remove())

/** Opens, works, closes. */
function using<T>(directory: string, key: Buffer, work: (state: AgentState) => T): T {
  const state = AgentState.open(directory, key)
  try {
    return work(state)
  } finally {
    state.close()
  }
}

/** What somebody with the file but without the key can do. */
function forge(directory: string, work: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(directory, 'state.db'))
  work(db)
  db.close()
}

const tampered = (what: string) =>
  expect.objectContaining({ code: 'E_AGENT_STATE_TAMPERED', subject: expect.stringContaining(`state:${what}`) })
const thrown = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return expect.fail('it was not refused')
}

describe('AgentState', () => {
  it('does what a map does, over restarts, for any order of calls', () => {
    const name = fc.constantFrom('a', 'b', 'b/c', '__proto__', 'ü')
    const call = fc.oneof(
      fc.record({ do: fc.constant('put' as const), name, value: fc.jsonValue() }),
      fc.record({ do: fc.constant('delete' as const), name }),
      fc.record({ do: fc.constant('fail' as const), name, value: fc.jsonValue() }),
      fc.record({ do: fc.constant('reopen' as const) }),
    )
    fc.assert(
      fc.property(fc.array(call, { maxLength: 25 }), (calls) => {
        const directory = files.path()
        const key = newKey()
        const model = new Map<string, unknown>()
        let state = AgentState.open(directory, key)
        for (const each of calls) {
          if (each.do === 'put') {
            state.put(each.name, each.value)
            model.set(each.name, JSON.parse(JSON.stringify(each.value)))
          } else if (each.do === 'delete') {
            state.delete(each.name)
            model.delete(each.name)
          } else if (each.do === 'fail') {
            const work = () => {
              state.put(each.name, each.value)
              state.delete('a')
              throw new Error('no')
            }
            expect(() => state.transaction(work)).toThrow('no')
          } else {
            state.close()
            state = AgentState.open(directory, key)
          }
          expect(state.names('')).toEqual([...model.keys()].sort())
        }
        for (const [key, value] of model) expect(state.get(key)).toEqual(value)
        expect(state.get('none')).toBeUndefined()
        state.close()
      }),
      { numRuns: 25 },
    )
  })

  it('refuses a wrong key without touching a byte, what is in the journal of a killed agent included', async () => {
    const directory = files.path()
    const key = newKey()
    const { signal } = await runChild('./write-child.ts', [directory, key.toString('hex'), '1000000'], (line, kill) => {
      if (line === '20') kill()
    })
    expect(signal).toBe('SIGKILL')
    const before = filesOf(directory)
    expect(before['state.db-wal']?.length).toBeGreaterThan(1_000)
    expect(thrown(() => AgentState.open(directory, newKey()))).toMatchObject({ code: 'E_AGENT_KEY_WRONG' })
    expect(filesOf(directory)).toEqual(before)
    using(directory, key, (state) => expect(state.get('left')).toBeGreaterThanOrEqual(20))
  })

  it('keeps what it said was durable, and no half of a transaction, killed and with its journal cut anywhere', async () => {
    const directory = files.path()
    const key = newKey()
    const { lines } = await runChild('./write-child.ts', [directory, key.toString('hex'), '12'], (line, kill) => {
      if (line === '12') kill()
    })
    const size = statSync(join(directory, 'state.db-wal')).size
    const values = new Set<unknown>()
    for (let cut = 0; cut <= 40; cut++) {
      const copy = files.copy(directory)
      // What another process mapped is gone after a power cut.
      rmSync(join(copy, 'state.db-shm'), { force: true })
      truncateSync(join(copy, 'state.db-wal'), Math.floor((size * cut) / 40))
      using(copy, key, (state) => {
        expect(state.get('left')).toBe(state.get('right'))
        state.verify()
        values.add(state.get('left'))
        state.put('left', 'goes on')
      })
    }
    expect(values.size).toBeGreaterThan(5)
    const all = using(directory, key, (state) => state.get('left'))
    expect([all, lines.length]).toEqual([12, 12])
  })

  it('shows nothing of a value or of the key in its files', () => {
    const directory = files.path()
    const key = newKey()
    using(directory, key, (state) => {
      state.put('a', 'hunter2-hunter2')
      state.append('log', 1, 'hunter2-hunter2')
    })
    const text = Object.values(filesOf(directory)).join('')
    expect(text).not.toContain(Buffer.from('hunter2').toString('hex'))
    expect(text).not.toContain(key.toString('hex'))
    for (const name of ['state.db', 'data.key']) expect(statSync(join(directory, name)).mode & 0o077).toBe(0)
    expect(statSync(directory).mode & 0o077).toBe(0)
  })

  it('refuses a newer schema and leaves it', () => {
    const directory = files.path()
    const key = newKey()
    using(directory, key, (state) => state.put('a', 1))
    forge(directory, (db) => db.exec('PRAGMA user_version = 2'))
    const before = filesOf(directory)
    expect(thrown(() => AgentState.open(directory, key))).toMatchObject({ code: 'E_SCHEMA_NEWER' })
    expect(filesOf(directory)['state.db']).toBe(before['state.db'])
  })
})

describe('a state changed from outside', () => {
  const key = newKey()
  /** Three values in two versions each; `old` is the row of `b` before its last write. */
  function prepared() {
    const directory = files.path()
    let old: Record<string, unknown> = {}
    using(directory, key, (state) => {
      for (const name of ['a', 'b', 'c', 'gone']) state.put(name, `first ${name}`)
    })
    forge(directory, (db) => {
      old = { ...db.prepare(`SELECT * FROM entries WHERE name = 'b'`).get() }
    })
    return { directory, old }
  }
  const put = (db: DatabaseSync, row: Record<string, unknown>) =>
    db
      .prepare('INSERT OR REPLACE INTO entries (name, version, sealed) VALUES (?, ?, ?)')
      .run(String(row.name), Number(row.version), row.sealed as Uint8Array)

  it('by any byte of a value is found, and named', () => {
    const { directory } = prepared()
    const sealed = () => {
      let bytes = new Uint8Array()
      forge(directory, (db) => {
        bytes = db.prepare(`SELECT sealed FROM entries WHERE name = 'a'`).get()?.sealed as Uint8Array<ArrayBuffer>
      })
      return bytes
    }
    const right = sealed()
    for (let at = 0; at < right.length; at++) {
      const wrong = Uint8Array.from(right)
      wrong[at] = (wrong[at] ?? 0) ^ (1 << (at % 8))
      forge(directory, (db) => db.prepare(`UPDATE entries SET sealed = ? WHERE name = 'a'`).run(wrong))
      using(directory, key, (state) => {
        expect(thrown(() => state.get('a'))).toEqual(tampered('a'))
        expect(thrown(() => state.verify())).toEqual(tampered('a'))
        expect(state.get('b')).toBe('first b')
      })
    }
    forge(directory, (db) => db.prepare(`UPDATE entries SET sealed = ? WHERE name = 'a'`).run(right))
    using(directory, key, (state) => expect(state.verify()).toBe(4))
  })

  it('by swapped rows is found, with their versions swapped or not', () => {
    const { directory } = prepared()
    const swap = (columns: string) =>
      forge(directory, (db) => {
        const [a, c] = ['a', 'c'].map((name) => db.prepare('SELECT * FROM entries WHERE name = ?').get(name) ?? {})
        const set = db.prepare(`UPDATE entries SET ${columns} WHERE name = $name`)
        const of = (row: Record<string, unknown> | undefined, name: string) => ({
          $name: name,
          $sealed: row?.sealed as Uint8Array,
          ...(columns.includes('$version') ? { $version: Number(row?.version) } : {}),
        })
        set.run(of(c, 'a'))
        set.run(of(a, 'c'))
      })
    swap('sealed = $sealed')
    using(directory, key, (state) => {
      expect(thrown(() => state.get('a'))).toEqual(tampered('a'))
      expect(thrown(() => state.get('c'))).toEqual(tampered('c'))
    })
    swap('sealed = $sealed')
    using(directory, key, (state) => state.verify())
    swap('sealed = $sealed, version = $version')
    expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered(''))
  })

  it('by one row put back to an older version is found, at the start and while it runs', () => {
    const { directory, old } = prepared()
    using(directory, key, (state) => {
      state.put('b', 'second b')
      forge(directory, (db) => put(db, old))
      expect(thrown(() => state.get('b'))).toEqual(tampered('b'))
    })
    expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered('b'))
    // With the number of the new version on the old value it opens no better: the number is bound to the value.
    const { directory: again, old: first } = prepared()
    using(again, key, (state) => state.put('b', 'second b'))
    forge(again, (db) => {
      const newest = db.prepare(`SELECT version FROM entries WHERE name = 'b'`).get()
      put(db, { ...first, version: newest?.version })
    })
    using(again, key, (state) => expect(thrown(() => state.verify())).toEqual(tampered('b')))
  })

  it('by a deleted value brought back, a value or the index taken away is found', () => {
    for (const [what, change] of [
      ['b', `DELETE FROM entries WHERE name = 'b'`],
      ['index', 'DELETE FROM pages WHERE page = -1'],
      ['index page', 'DELETE FROM pages WHERE page >= 0'],
      ['index', 'UPDATE pages SET version = version + 1 WHERE page = -1'],
      ['index', 'DELETE FROM pages; DELETE FROM entries'],
    ] as const) {
      const { directory } = prepared()
      forge(directory, (db) => db.exec(change))
      expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered(what))
    }
    const { directory, old } = prepared()
    using(directory, key, (state) => state.delete('b'))
    forge(directory, (db) => put(db, old))
    expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered('b'))
  })

  it('by an index put back together with its value is found by the root', () => {
    const { directory } = prepared()
    let pages: Record<string, unknown>[] = []
    let b: Record<string, unknown> = {}
    forge(directory, (db) => {
      pages = db.prepare('SELECT * FROM pages WHERE page >= 0').all()
      b = db.prepare(`SELECT * FROM entries WHERE name = 'b'`).get() ?? {}
    })
    using(directory, key, (state) => state.put('b', 'second'))
    forge(directory, (db) => {
      put(db, b)
      const set = db.prepare('INSERT OR REPLACE INTO pages (page, version, sealed) VALUES (?, ?, ?)')
      for (const row of pages) set.run(Number(row.page), Number(row.version), row.sealed as Uint8Array)
    })
    expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered('index page'))
  })

  it('by the whole file put back is found while it runs', () => {
    const { directory } = prepared()
    using(directory, key, (state) => {
      let pages: Record<string, unknown>[] = []
      let entries: Record<string, unknown>[] = []
      forge(directory, (db) => {
        pages = db.prepare('SELECT * FROM pages').all()
        entries = db.prepare('SELECT * FROM entries').all()
      })
      state.put('b', 'second')
      forge(directory, (db) => {
        for (const row of entries) put(db, row)
        const set = db.prepare('INSERT OR REPLACE INTO pages (page, version, sealed) VALUES (?, ?, ?)')
        for (const row of pages) set.run(Number(row.page), Number(row.version), row.sealed as Uint8Array)
      })
      expect(thrown(() => state.get('b'))).toEqual(tampered('index'))
    })
  })

  it('by a lost or broken data key or a broken file is found, and no new one is made over it', () => {
    const { directory } = prepared()
    const lost = files.copy(directory)
    rmSync(join(lost, 'data.key'))
    expect(thrown(() => AgentState.open(lost, key))).toEqual(tampered('data.key'))
    expect(Object.keys(filesOf(lost))).not.toContain('data.key')
    truncateSync(join(directory, 'data.key'), 10)
    expect(thrown(() => AgentState.open(directory, key))).toEqual(tampered('data.key'))
    const { directory: cut } = prepared()
    truncateSync(join(cut, 'state.db'), 5_000)
    expect(thrown(() => AgentState.open(cut, key))).toEqual(tampered('state.db'))
  })
})
