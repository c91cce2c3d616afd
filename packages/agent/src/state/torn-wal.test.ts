import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { newKey, scratch } from '../testing/scratch.ts'
import { committed, type Journal, lengthsOf, record, tails, tornDirectory, useSmallPages } from '../testing/torn.ts'
import { AgentState } from './agent-state.ts'

const files = scratch()
const torn = tornDirectory()
afterAll(() => {
  files.remove()
  torn.remove()
})
const key = newKey()
const transactions = 4

/** Several values, a deletion and a record in each transaction: a mix of two would be seen. */
function write(state: AgentState, number: number): void {
  state.transaction(() => {
    state.put('left', number)
    state.put(`of/${number}`, { number })
    if (number > 0) state.delete(`of/${number - 1}`)
    state.append('log', number, { number })
    state.put('right', number)
  })
}

/** A journal of `transactions` transactions from 1 on, over a database that holds the number 0. */
function prepared(smallPages: boolean) {
  const directory = files.path()
  let state = AgentState.open(directory, key)
  write(state, 0)
  state.close()
  if (smallPages) useSmallPages(join(directory, 'state.db'))
  state = AgentState.open(directory, key)
  const commits = Array.from({ length: transactions }, (_, index) => () => write(state, index + 1))
  const journal = record(directory, 'state.db', ['data.key'], commits)
  const memory = readFileSync(join(directory, 'state.db-shm'))
  return { directory, state, journal, memory }
}

/** Opens what lies there; exactly the transactions that the journal holds whole are in it, and it goes on. */
function expectCommitted(number: number, what: string): void {
  const state = AgentState.open(torn.directory, key)
  try {
    const seen = [
      state.get('left'),
      state.get('right'),
      state.names('of/'),
      state.records('log', -1, 99).at(-1)?.number,
    ]
    if (JSON.stringify(seen) !== JSON.stringify([number, number, [`of/${number}`], number])) {
      expect(seen, what).toEqual([number, number, [`of/${number}`], number])
    }
    state.verify()
  } finally {
    state.close()
  }
}

function cut(journal: Journal, length: number, kind: 'none' | 'zeros', memory?: Buffer): void {
  torn.lay(journal, tails[kind](journal.journal, length), memory)
  expectCommitted(committed(journal, length), `cut at ${length} of ${journal.journal.length}, tail: ${kind}`)
}

describe('the state after a write that was torn', () => {
  it('at every length of its journal is that of the last whole transaction', { timeout: 300_000 }, () => {
    const { state, journal } = prepared(true)
    expect(journal.ends.length).toBe(transactions + 1)
    for (const length of lengthsOf(journal.journal.length)) cut(journal, length, 'none')
    state.close()
  })

  it('with a tail of zeros, around each frame and commit, and with what another process had mapped', {
    timeout: 300_000,
  }, () => {
    for (const small of [true, false]) {
      const { state, journal, memory } = prepared(small)
      const frame = 24 + (small ? 512 : 4_096)
      for (let start = 32; start <= journal.journal.length; start += frame) {
        for (const at of [start - 1, start, start + 1, start + 24, start + 24 + Math.floor(frame / 2)]) {
          if (at > journal.journal.length) continue
          cut(journal, at, 'zeros')
          cut(journal, at, 'none')
          cut(journal, at, 'none', memory)
        }
      }
      state.close()
    }
  })

  it('over an older journal, whose frames follow, takes none of those', { timeout: 300_000 }, () => {
    const { directory, state } = prepared(true)
    const older = readFileSync(join(directory, 'state.db-wal'))
    // Written back, and begun anew in the same file, as SQLite does it by itself from time to time.
    const other = new DatabaseSync(join(directory, 'state.db'))
    other.exec('PRAGMA wal_checkpoint(RESTART)')
    other.close()
    const first = transactions + 1
    const database = readFileSync(join(directory, 'state.db'))
    write(state, first)
    const journal = readFileSync(join(directory, 'state.db-wal'))
    expect(journal.length).toBe(older.length)
    // The frames of the one transaction: from there on the file is the old one.
    let end = 0
    for (let at = 0; at < journal.length; at++) if (journal[at] !== older[at]) end = at + 1
    const of: Journal = {
      beside: { 'data.key': readFileSync(join(directory, 'data.key')) },
      name: 'state.db',
      database,
      journal,
      ends: [0],
    }
    let whole = 0
    for (const length of lengthsOf(end)) {
      torn.lay(of, tails.older(journal, length, older))
      const found = AgentState.open(torn.directory, key)
      const left = found.get('left')
      found.close()
      torn.lay(of, tails.older(journal, length, older))
      expectCommitted(left as number, `torn at ${length} over an older journal`)
      expect([transactions, first]).toContain(left)
      // What was whole stays whole for every greater length.
      if (left === first) whole ||= length
      else expect(whole, `torn at ${length}`).toBe(0)
    }
    // Bytes at its end may be those of the older journal by chance.
    expect(whole).toBeGreaterThan(end - 16)
    state.close()
  })
})
