import type { HeldCommand } from '@landfall/engine'
import { sql } from 'kysely'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { outputContext } from './contexts.ts'

/** What the attempts so far have written. */
export async function writtenOf(db: Database, of: { deployment: string; id: string }) {
  const row = await db
    .selectFrom('command_output')
    .select([
      sql<number>`coalesce(max(number), 0)::int`.as('last'),
      sql<number>`count(*)::int`.as('chunks'),
      // What sealing adds to each piece is taken off again: key id and format, nonce, tag.
      sql<number>`coalesce(sum(octet_length(decode(chunk, 'base64')) - 53), 0)::int`.as('bytes'),
    ])
    .where('deployment', '=', of.deployment)
    .where('command', '=', of.id)
    .executeTakeFirstOrThrow()
  return { next: row.last + 1, chunks: row.chunks, bytes: row.bytes }
}

/** Stores a piece, sealed; fenced by the epoch. The same number again changes nothing. */
export async function writeOutput(
  db: Database,
  keyring: Keyring,
  held: HeldCommand,
  piece: { number: number; at: number; chunk: string },
): Promise<boolean> {
  const of = { deployment: held.deployment.id, id: held.id }
  return db.transaction().execute(async (trx) => {
    const ours = await trx
      .selectFrom('commands')
      .select('id')
      .where('deployment', '=', of.deployment)
      .where('id', '=', of.id)
      .where('lease_epoch', '=', held.epoch)
      .where('lease_owner', 'is not', null)
      .where('status', '=', 'running')
      .forShare()
      .executeTakeFirst()
    if (!ours) return false
    await insertOutput(trx, keyring, of, [piece])
    return true
  })
}

export async function insertOutput(
  db: Database,
  keyring: Keyring,
  of: { deployment: string; id: string },
  pieces: readonly { number: number; at: number; chunk: string }[],
): Promise<void> {
  if (pieces.length === 0) return
  await db
    .insertInto('command_output')
    .values(
      pieces.map(({ number, at, chunk }) => ({
        deployment: of.deployment,
        command: of.id,
        number,
        at: new Date(at),
        chunk: keyring.seal(chunk, outputContext(of.deployment, of.id, number)).toString('base64'),
      })),
    )
    .onConflict((conflict) => conflict.columns(['deployment', 'command', 'number']).doNothing())
    .execute()
}
