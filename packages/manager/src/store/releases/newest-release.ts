import type { Database, Trx } from '../database.ts'

/** The newest release of a channel, however far its rollout is. */
export function newestRelease(db: Database | Trx, project: string, channel: string) {
  return db
    .selectFrom('releases')
    .selectAll()
    .where('project', '=', project)
    .where('channel', '=', channel)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}
