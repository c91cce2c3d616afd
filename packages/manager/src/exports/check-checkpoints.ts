import { createPublicKey, verify } from 'node:crypto'
import { canonicalJson, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Trx } from '../store/database.ts'
import type { AuditCheckpoint } from './read-documents.ts'

/**
 * That the checkpoints of an export are the agent's, and that the copy of its chain here says the same where it reaches that far: a
 * record that was written anew at the site shows. Call it after the reports of the same export were taken.
 *
 * @throws LandfallError `E_AUDIT_BROKEN`
 */
export async function checkCheckpoints(
  trx: Trx,
  deployment: string,
  signKey: string,
  checkpoints: readonly AuditCheckpoint[],
): Promise<void> {
  const key = createPublicKey({ key: Buffer.from(signKey, 'base64'), format: 'der', type: 'spki' })
  for (const { signature, ...content } of checkpoints) {
    const signed = verify(null, Buffer.from(canonicalJson(content)), key, Buffer.from(signature, 'base64'))
    if (!signed || content.deployment !== deployment) throw broken(content.number, 'is not signed by the agent')
    const known = await hashAt(trx, deployment, content.number)
    if (known !== null && known !== content.hash) throw broken(content.number, 'is not the entry that was handed over')
  }
}

/** Of the agent's chain as it was handed over; null where the copy does not reach that far. */
async function hashAt(trx: Trx, deployment: string, number: number): Promise<string | null> {
  const head = await trx
    .selectFrom('agents')
    .select(['audit_number', 'audit_hash'])
    .where('deployment', '=', deployment)
    .executeTakeFirst()
  if (head?.audit_number === number) return head.audit_hash
  if (head === undefined || head.audit_number < number) return null
  const { rows } = await sql<{ hash: string }>`
    select data -> 'agentLink' ->> 'hash' as hash from audit_entries
    where chain = ${deployment} and (data -> 'agentLink' ->> 'number')::bigint = ${number}
    order by number desc limit 1`.execute(trx)
  return rows[0]?.hash ?? null
}

function broken(number: number, why: string): LandfallError {
  return new LandfallError({
    code: 'E_AUDIT_BROKEN',
    message: `Entry ${number} of the agent’s audit, which a checkpoint in the export names, ${why}.`,
    hint: 'Its record was changed, or an old copy of the agent goes on. Look there; a new setup with `replace` begins a new record.',
  })
}
