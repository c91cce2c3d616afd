import { sql } from 'kysely'
import type { Trx } from '../store/database.ts'

/**
 * Links that were made by a link, and by those, end with it: whoever got hold of one keeps nothing after it was revoked. `at` in
 * milliseconds. Answers how many were ended.
 */
export async function revokeMadeLinks(trx: Trx, link: { id: string; deployment: string }, at: number): Promise<number> {
  let ended = 0
  // Again until nothing more is found: one that was being made waited for its maker's row, and was not seen before.
  for (let more = -1; more !== 0; ended += more) more = await revokeOnce(trx, link, at)
  return ended
}

async function revokeOnce(trx: Trx, link: { id: string; deployment: string }, at: number): Promise<number> {
  const result = await sql`
    with recursive made as (
      select ${link.id}::text as id
      union
      select tokens.id from tokens join made on right(tokens.created_by, length(made.id) + 1) = ' ' || made.id
      where tokens.deployment = ${link.deployment} and tokens.kind = 'deployer'
    )
    update tokens set revoked_at = ${new Date(at)}
    where id in (select id from made) and id <> ${link.id} and revoked_at is null`.execute(trx)
  return Number(result.numAffectedRows ?? 0)
}
