import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

/** That it was called, by whom and how it ended stays in the audit. */
export const commandsKeptMs = 90 * 86_400_000
const atOnce = 1_000

/** Forgets commands that ended long ago, with their output. Answers how many. */
export async function dropOldCommands(db: Database, now: number): Promise<number> {
  let dropped = 0
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from commands c using (
        select deployment, id from commands where finished_at < ${new Date(now - commandsKeptMs)}
        limit ${atOnce} for update skip locked
      ) old
      where c.deployment = old.deployment and c.id = old.id`.execute(db)
    dropped += Number(numAffectedRows)
    if (numAffectedRows < atOnce) return dropped
  }
}
