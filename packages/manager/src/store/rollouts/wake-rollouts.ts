import { sql } from 'kysely'
import type { Database, Trx } from '../database.ts'

/** Has the open rollouts of a channel (or of the whole project) look again: a deployment came, moved, or may count again. */
export async function wakeRollouts(db: Database | Trx, project: string, channel?: string): Promise<void> {
  let query = db
    .updateTable('rollouts')
    .set({ requested_generation: sql<number>`requested_generation + 1` })
    .where('project', '=', project)
    .where('finished_at', 'is', null)
  if (channel !== undefined) query = query.where('channel', '=', channel)
  await query.execute()
}
