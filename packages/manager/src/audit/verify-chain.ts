import { type AuditContent, genesis, hashOf } from '@landfall/contract'
import type { Database } from '../store/database.ts'
import type { CheckpointKey } from './checkpoint-key.ts'

export interface ChainVerification {
  ok: boolean
  entries: number
  head: string | null
  broken: { number: number; message: string } | null
  checkpoints: { number: number; hash: string; at: string; signature: string }[]
}

const page = 2_000

/**
 * Recomputes a chain from its first entry, in pages, and compares it with its head and its signed checkpoints: a changed, a
 * missing, an added entry and a cut-off end are all found. It can't find that somebody who has the database *and* the
 * manager's key rewrote everything; the checkpoints that the customer keeps can.
 */
export async function verifyChain(db: Database, chain: string, key: CheckpointKey): Promise<ChainVerification> {
  const [head, stored] = await Promise.all([
    db.selectFrom('audit_heads').selectAll().where('chain', '=', chain).executeTakeFirst(),
    db.selectFrom('audit_checkpoints').selectAll().where('chain', '=', chain).orderBy('number').execute(),
  ])
  const checkpoints = stored.map(({ number, hash, at, signature }) => ({
    number,
    hash,
    at: at.toISOString(),
    signature,
  }))
  const marked = new Map(checkpoints.map((checkpoint) => [checkpoint.number, checkpoint]))
  let previous = genesis(chain)
  let number = 0
  const fail = (at: number, message: string): ChainVerification => ({
    ok: false,
    entries: number,
    head: previous,
    broken: { number: at, message },
    checkpoints,
  })
  for await (const entry of entriesOf(db, chain, head?.number ?? 0)) {
    if (entry.number !== number + 1) return fail(number + 1, 'The entry is missing')
    if (entry.previous !== previous) return fail(entry.number, 'The entry does not follow from the one before it')
    if (hashOf(entry) !== entry.hash) return fail(entry.number, 'The entry was changed after it was written')
    const checkpoint = marked.get(entry.number)
    if (checkpoint && !key.verify({ chain, ...checkpoint }, checkpoint.signature)) {
      return fail(entry.number, 'The checkpoint is not signed by this manager')
    }
    if (checkpoint && checkpoint.hash !== entry.hash) return fail(entry.number, 'The entry differs from its checkpoint')
    number = entry.number
    previous = entry.hash
  }
  const expected = Math.max(head?.number ?? 0, checkpoints.at(-1)?.number ?? 0)
  if (number < expected) return fail(number + 1, 'The end of the chain is missing')
  if (head && head.hash !== previous) return fail(number, 'The chain does not end at its head')
  return { ok: true, entries: number, head: number === 0 ? null : previous, broken: null, checkpoints }
}

/** Up to the head that was read: what is appended meanwhile belongs to the next verification. */
async function* entriesOf(db: Database, chain: string, last: number): AsyncGenerator<AuditContent & { hash: string }> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('audit_entries')
      .selectAll()
      .where('chain', '=', chain)
      .where('number', '>', after)
      .where('number', '<=', last)
      .orderBy('number')
      .limit(page)
      .execute()
    for (const row of rows) yield { ...row, at: row.at.toISOString() }
    if (rows.length < page) return
    after = rows.at(-1)?.number ?? last
  }
}
