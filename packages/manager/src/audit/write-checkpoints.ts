import { type SqlBool, sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { CheckpointKey } from './checkpoint-key.ts'

const chainsAtOnce = 500

/**
 * Signs the head of every chain that grew by `everyEntries` since its newest checkpoint, or grew at all and has none younger
 * than `everyMs`. Answers how many were written. Harmless when two managers do it at once: a checkpoint is one per number.
 */
export async function writeCheckpoints(
  db: Database,
  key: CheckpointKey,
  options: { now: number; everyEntries: number; everyMs: number },
): Promise<number> {
  const due = await db
    .selectFrom('audit_heads as head')
    .leftJoinLateral(
      (nested) =>
        nested
          .selectFrom('audit_checkpoints')
          .select(['number', 'at'])
          .whereRef('chain', '=', 'head.chain')
          .orderBy('number', 'desc')
          .limit(1)
          .as('last'),
      (join) => join.onTrue(),
    )
    .select(['head.chain', 'head.number', 'head.hash'])
    .where(sql<SqlBool>`head.number > coalesce(last.number, 0)`)
    .where(
      sql<SqlBool>`(head.number >= coalesce(last.number, 0) + ${options.everyEntries} or last.at is null or last.at <= ${new Date(options.now - options.everyMs)})`,
    )
    .limit(chainsAtOnce)
    .execute()
  if (due.length === 0) return 0
  const at = new Date(options.now)
  await db
    .insertInto('audit_checkpoints')
    .values(
      due.map(({ chain, number, hash }) => ({
        chain,
        number,
        hash,
        at,
        signature: key.sign({ chain, number, hash, at: at.toISOString() }),
      })),
    )
    .onConflict((conflict) => conflict.columns(['chain', 'number']).doNothing())
    .execute()
  return due.length
}
