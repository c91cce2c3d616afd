import { type AuditContent, genesis, hashOf, storable, storableText } from '@landfall/contract'
import { sql } from 'kysely'
import type { Trx } from '../store/database.ts'
import { chainOf } from './chain.ts'

/** Something that was done. Never holds a secret. */
export interface AuditEntry {
  /** Null for what belongs to the installation, such as a new user. */
  project: string | null
  /** Null for what is done to a project as a whole. */
  deployment: string | null
  /** Dotted and stable: `rollout.aborted`, `token.created`. */
  type: string
  /** A person's e-mail, `ci:name`, or the part of Landfall that did it: `engine`, `fleet`. */
  actor: string
  message: string
  code?: string | null
  resource?: string | null
  data?: unknown
  /** When it happened, in milliseconds. */
  at: number
}

/** One parameter each time, however many they are: this only bounds the memory. */
const rowsAtOnce = 10_000

/**
 * Appends to the chains that the entries belong to, within the caller's transaction: an entry exists exactly if what it tells
 * of does. Chains are serialised by their row in `audit_heads`, locked in one order, so that two appenders never wait for
 * each other in a circle. Lock other rows before, not after: the heads are held until the transaction ends.
 */
export async function appendAudit(trx: Trx, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  const chains = [...new Set(entries.map(chainOf))].sort()
  await begin(trx, chains)
  const locked = await trx
    .selectFrom('audit_heads')
    .selectAll()
    .where(sql<boolean>`chain = any(${chains}::text[])`)
    .orderBy('chain')
    .forUpdate()
    .execute()
  const heads = new Map(locked.map((head) => [head.chain, head]))
  const rows = entries.map((entry) => link(entry, heads))
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    await sql`insert into audit_entries
        (chain, number, project, deployment, at, type, actor, code, message, resource, data, previous, hash)
      select chain, number, project, deployment, at, type, actor, code, message, resource, data, previous, hash
      from json_populate_recordset(null::audit_entries, ${JSON.stringify(rows.slice(from, from + rowsAtOnce))}::json)`.execute(
      trx,
    )
  }
  const numbers = chains.map((chain) => heads.get(chain)?.number)
  const hashes = chains.map((chain) => heads.get(chain)?.hash)
  // Within brackets, as where a fleet is told: each head by its key, however many there are.
  await sql`update audit_heads set number = given.number, hash = given.hash
    from unnest((select ${chains}::text[]), (select ${numbers}::bigint[]), (select ${hashes}::text[]))
      as given (chain, number, hash)
    where audit_heads.chain = given.chain`.execute(trx)
}

/** Chains that are not there yet. */
async function begin(trx: Trx, chains: readonly string[]): Promise<void> {
  const { rows } = await sql<{
    chain: string
  }>`select chain from unnest((select ${[...chains]}::text[])) as given (chain)
    where not exists (select from audit_heads h where h.chain = given.chain) order by chain`.execute(trx)
  if (rows.length === 0) return
  const names = rows.map(({ chain }) => chain)
  await sql`insert into audit_heads (chain, number, hash)
    select chain, 0, hash from unnest(${names}::text[], ${names.map(genesis)}::text[]) as given (chain, hash)
    on conflict (chain) do nothing`.execute(trx)
}

function link(entry: AuditEntry, heads: Map<string, { chain: string; number: number; hash: string }>) {
  const chain = chainOf(entry)
  const head = heads.get(chain) ?? { chain, number: 0, hash: genesis(chain) }
  const content: AuditContent = {
    deployment: entry.deployment,
    number: head.number + 1,
    at: new Date(entry.at).toISOString(),
    type: storableText(entry.type),
    actor: storableText(entry.actor),
    code: entry.code ?? null,
    message: storableText(entry.message),
    resource: entry.resource ?? null,
    data: storable(entry.data ?? null),
    previous: head.hash,
  }
  const hash = hashOf(content)
  heads.set(chain, { chain, number: content.number, hash })
  return {
    ...content,
    chain,
    project: entry.project,
    hash,
  }
}
