import { randomBytes } from 'node:crypto'
import { hashOf } from '@landfall/contract'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { type AuditEntry, appendAudit } from './append-audit.ts'
import { checkpointKey } from './checkpoint-key.ts'
import { listAudit } from './list-audit.ts'
import { verifyChain } from './verify-chain.ts'
import { writeCheckpoints } from './write-checkpoints.ts'

const seeded = (seed: Buffer) => checkpointKey({ derive: () => seed } as unknown as Keyring)
const key = seeded(randomBytes(32))
const at = Date.UTC(2026, 10, 21)

let server: TestServer
let db: Database
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  db = (await server.database()).db
})

const entry = (deployment: string | null, message: string, data?: unknown): AuditEntry => ({
  project: 'acme',
  deployment,
  type: 'resource.created',
  actor: 'engine',
  message,
  data,
  at,
})
const append = (...entries: AuditEntry[]) => db.transaction().execute((trx) => appendAudit(trx, entries))
const anyway = (change: string) =>
  db.transaction().execute(async (trx) => {
    // Somebody who owns the database can do this; the chain is there to show it.
    await sql`set local session_replication_role = replica`.execute(trx)
    await sql.raw(change).execute(trx)
  })

describe('audit chains', () => {
  it('hold over what jsonb does to any value', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 8 }),
        async (made) => {
          await append(...made.map(([message, data]) => entry('dep_any', message, data)))
          expect(await verifyChain(db, 'dep_any', key)).toMatchObject({ ok: true, broken: null })
        },
      ),
      { numRuns: 15 },
    )
  })

  it('stay whole under appenders at once over several chains in any order', async () => {
    const chains = ['dep_a', 'dep_b', 'dep_c', null]
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => append(...chains.map((_, k) => entry(chains[(i + k) % 4] ?? null, `${i}`)))),
    )
    expect(all.filter(({ status }) => status === 'rejected')).toEqual([])
    for (const chain of ['dep_a', 'dep_b', 'dep_c', 'project:acme']) {
      expect(await verifyChain(db, chain, key)).toMatchObject({ ok: true, entries: 20 })
    }
  })

  it('take nothing of a transaction that was rolled back', async () => {
    await append(entry('dep_a', 'kept'))
    await expect(
      db.transaction().execute(async (trx) => {
        await appendAudit(trx, [entry('dep_a', 'lost')])
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await verifyChain(db, 'dep_a', key)).toMatchObject({ ok: true, entries: 1 })
  })

  it('refuse UPDATE, DELETE and TRUNCATE', async () => {
    await append(entry('dep_a', 'one'))
    for (const statement of [
      "update audit_entries set message = 'x'",
      'delete from audit_entries',
      'truncate audit_entries',
    ]) {
      await expect(sql.raw(statement).execute(db)).rejects.toThrow('append-only')
    }
  })

  it.each([
    ['a changed entry', "update audit_entries set message = 'harmless' where number = 2", 2],
    ['a changed time', "update audit_entries set at = at + interval '1 day' where number = 3", 3],
    ['an entry taken out', 'delete from audit_entries where number = 2', 2],
    ['the end cut off', 'delete from audit_entries where number >= 4', 4],
    [
      'the end cut off with its head',
      'delete from audit_entries where number = 5; update audit_heads set number = 4, hash = (select hash from audit_entries where number = 4)',
      5,
    ],
  ])('show %s', async (_, change, broken) => {
    for (const message of ['1', '2', '3', '4', '5']) await append(entry('dep_a', message, { secret: false }))
    await writeCheckpoints(db, key, { now: at, everyEntries: 100, everyMs: 0 })
    expect((await verifyChain(db, 'dep_a', key)).ok).toBe(true)
    await anyway(change)
    expect(await verifyChain(db, 'dep_a', key)).toMatchObject({ ok: false, broken: { number: broken } })
  })

  it('show a rewritten entry whose hashes were all made anew, by its checkpoint', async () => {
    for (const message of ['1', '2']) await append(entry('dep_a', message))
    await writeCheckpoints(db, key, { now: at, everyEntries: 100, everyMs: 0 })
    const last = await db.selectFrom('audit_entries').selectAll().where('number', '=', 2).executeTakeFirstOrThrow()
    const forged = hashOf({ ...last, at: last.at.toISOString(), message: 'forged' })
    await anyway(
      `update audit_entries set message = 'forged', hash = '${forged}' where number = 2; update audit_heads set hash = '${forged}'`,
    )
    expect(await verifyChain(db, 'dep_a', key)).toMatchObject({ ok: false, broken: { number: 2 } })
    // Even with the checkpoint forged too: it is not signed.
    await anyway(`update audit_checkpoints set hash = '${forged}'`)
    expect((await verifyChain(db, 'dep_a', key)).broken?.message).toContain('not signed')
    expect((await verifyChain(db, 'dep_a', seeded(randomBytes(32)))).ok).toBe(false)
  })

  it('have checkpoints that refuse UPDATE and DELETE', async () => {
    await append(entry('dep_a', 'one'))
    await writeCheckpoints(db, key, { now: at, everyEntries: 1, everyMs: 0 })
    for (const statement of ["update audit_checkpoints set hash = 'x'", 'delete from audit_checkpoints']) {
      await expect(sql.raw(statement).execute(db)).rejects.toThrow('append-only')
    }
  })

  it('get checkpoints by number and by age, and no more than needed', async () => {
    const options = { everyEntries: 3, everyMs: 60_000 }
    await append(entry('dep_a', '1'))
    expect(await writeCheckpoints(db, key, { ...options, now: at })).toBe(1)
    await append(entry('dep_a', '2'))
    expect(await writeCheckpoints(db, key, { ...options, now: at + 1_000 })).toBe(0)
    expect(await writeCheckpoints(db, key, { ...options, now: at + 61_000 })).toBe(1)
    for (const message of ['3', '4', '5']) await append(entry('dep_a', message))
    expect(await writeCheckpoints(db, key, { ...options, now: at + 62_000 })).toBe(1)
    expect(await writeCheckpoints(db, key, { ...options, now: at + 999_000 })).toBe(0)
    const { checkpoints } = await verifyChain(db, 'dep_a', key)
    expect(checkpoints.map((checkpoint) => checkpoint.number)).toEqual([1, 2, 5])
  })

  it('are listed newest first, in pages that neither repeat nor leave out', async () => {
    for (let i = 0; i < 7; i++) await append(entry('dep_a', `a${i}`), entry(null, `p${i}`))
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await listAudit(db, { project: 'acme', limit: 4, after })
      seen.push(...page.items.map((item) => item.message))
      after = page.next ?? undefined
    } while (after !== undefined)
    expect([...seen].sort()).toEqual(
      Array.from({ length: 7 }, (_, i) => [`a${i}`, `p${i}`])
        .flat()
        .sort(),
    )
    expect(
      (await listAudit(db, { project: 'acme', deployment: 'dep_a', limit: 2 })).items.map((i) => i.number),
    ).toEqual([7, 6])
    expect((await listAudit(db, { project: 'other', limit: 10 })).items).toEqual([])
    expect((await listAudit(db, { project: 'acme', limit: 10, type: 'resource' })).items.length).toBe(10)
    expect((await listAudit(db, { project: 'acme', limit: 10, type: 'res' })).items).toEqual([])
  })
})
