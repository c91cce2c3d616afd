import { describe, expect, it } from 'vitest'
import { readStatement } from './instrument/mutating-sql.ts'
import { stable } from './instrument/place-name.ts'
import { chaos, unitsOf } from './run/chaos.ts'
import { compare } from './run/compare.ts'
import type { EndState } from './run/end-state.ts'
import { Ledger } from './run/ledger.ts'
import { sum, table } from './run/report.ts'
import { partOf } from './run/rotation.ts'

const everything = unitsOf({ only: [], rotate: null })
/** A part is one process of one scenario at every third of its points: in turn from the first, the second or the third. */
const every = 3
const parts = everything.flatMap(({ scenario, victim }) =>
  Array.from({ length: every }, (_, first) => ({ name: `${scenario.name}/${victim}`, first })),
)
/** Runs are begun for so long; what is under way ends. Where making the world takes longer, one run follows it all the same. */
const budgetMs = 60_000
const { part, why } = partOf(parts.length, process.env, Math.floor(Date.now() / 86_400_000))
const { name, first } = parts[part - 1] ?? { name: '', first: 0 }

describe('a part of the crash tests', () => {
  it(`part ${part} of ${parts.length} (${why}): ${name} killed at its points, the end is right`, {
    timeout: 600_000,
  }, async () => {
    const lines = [`again: LANDFALL_CHAOS_PART=${part} npm test -- test/chaos`]
    const rows = await chaos({
      ...{ only: [name], rotate: null, budgetMs, thin: { every, first } },
      ...{ occurrences: 1, kills: 4, sample: 1, runs: 4, jobs: 1, recordings: 1, before: [] },
      say: (line) => lines.push(line),
    })
    console.log(`${lines.join('\n')}\n${table(rows)}`)
    expect(rows.flatMap(({ failures }) => failures)).toEqual([])
    // One that kills nobody proves nothing, unless what it waited for was seen not to come when nobody is killed.
    if (sum(rows, 'total') > 0) expect(sum(rows, 'kills')).toBeGreaterThan(0)
  })
})

describe('what the crash tests stand on', () => {
  it('each process of each scenario is in exactly one part', () => {
    const parts = [1, 2, 3].flatMap((one) => unitsOf({ only: [], rotate: { part: one, of: 3 } }))
    expect(parts).toHaveLength(everything.length)
    expect(new Set(parts.map(({ scenario, victim }) => `${scenario.name}/${victim}`)).size).toBe(everything.length)
  })

  it('reads from a statement what it changes', () => {
    expect(readStatement('select id from deployments for update skip locked')).toEqual({ control: null, changes: [] })
    expect(readStatement('update "deployments" set x = 1').changes).toEqual(['update deployments'])
    const claim = 'with "due" as (select 1 for update skip locked) update "deployments" set a = 1 from "due"'
    expect(readStatement(claim).changes).toEqual(['update deployments'])
    expect(readStatement('BEGIN IMMEDIATE').control).toBe('begin')
    expect(readStatement('insert or replace into items values (1)').changes).toEqual(['insert items'])
    expect(readStatement('rollback to savepoint a').control).toBe(null)
  })

  it('names a point the same in every run', () => {
    expect(stable('environments/dep_4k2j9x7m/run/api-12')).toBe(stable('environments/dep_9a8b7c6d/run/api-7'))
    expect(stable('artifacts/unpack-hqzIsS/index.mjs')).toBe(stable('artifacts/unpack-qgkUrZ/index.mjs'))
    expect(stable('artifacts/unpack-hqzIsS')).toBe(stable('artifacts/unpack-q1kU7Z'))
    expect(stable('run/api-baadfadd')).toBe(stable('run/api-1f0c9a2b'))
    const upload = (id: string) => stable(`site/uploads/${id}.export.writing`)
    expect(upload('0f1e2d3c-016f-4bb1-8f82-aabbccddeeff')).toBe(upload('abcdefab-aaaa-4bcd-9abc-012345678901'))
  })

  it('counts as the total what every undisturbed run passes, and takes nothing off it but by an undisturbed run', () => {
    const ledger = new Ledger([new Set(['a', 'b', 'timer']), new Set(['a', 'b', 'c'])], ['a', 'gone'])
    expect(ledger.counts).toEqual({ total: 2, covered: 1, sometimes: 2, sometimesCovered: 0 })
    expect(ledger.next.sort()).toEqual(['b', 'c', 'timer'])
    ledger.right(['timer'])
    // Ended wrong among others: nothing is covered, it is waited for again; twice alone: it stays open, and is not waited for.
    ledger.wrong(['b', 'c'])
    ledger.wrong(['b'])
    expect(ledger.next).toContain('b')
    ledger.wrong(['b'])
    expect(ledger.next).toEqual(['c'])
    ledger.calm()
    expect(ledger.open).toEqual(['b'])
    expect(ledger.counts).toEqual({ total: 2, covered: 1, sometimes: 2, sometimesCovered: 1 })
    const quick = new Ledger([new Set(['a']), new Set(['a'])])
    quick.calm()
    expect(quick.counts).toMatchObject({ total: 0, sometimes: 1 })
  })

  it('sees what is left over, what is missing and what was done twice', () => {
    const calm: EndState = {
      files: { 'run/': 1 },
      processes: { worker: 1 },
      tables: { targets: 2, changes: 9 },
      audit: { 'manager deployment.told': 1, 'manager resource.action': 3 },
      effects: { 'cmd_1 1': 1 },
      broken: [],
    }
    expect(compare({ ...calm, tables: { targets: 2, changes: 12 } }, calm)).toEqual([])
    // Killed while it worked, it is tried again: the next attempt, one command.
    expect(compare({ ...calm, effects: { 'cmd_9 1': 1, 'cmd_9 2': 1 } }, calm)).toEqual([])
    const wrongs: [Partial<EndState>, string][] = [
      [{ files: { 'run/': 1, 'upload.part': 1 } }, 'file upload.part'],
      [{ processes: { worker: 2 } }, 'process worker'],
      [{ processes: {} }, 'process worker'],
      [{ tables: { targets: 3 } }, 'table targets'],
      [{ audit: { 'manager deployment.told': 2 } }, 'audit manager deployment.told'],
      [{ effects: { 'cmd_1 1': 2 } }, 'attempt cmd_1 1'],
      [{ effects: {} }, '0 commands'],
      [{ broken: ['manager'] }, 'chain'],
    ]
    for (const [change, word] of wrongs) {
      expect(compare({ ...calm, ...change }, calm).join()).toContain(word)
    }
  })
})
