import type { Database, Trx } from '../database.ts'

/**
 * The release that a deployment of this channel may be told without a rollout of its own: the newest one whose rollout came
 * to its end. A release on its way reaches deployments by its rollout, an aborted one not at all; null when there is none.
 */
export async function allowedRelease(db: Database | Trx, project: string, channel: string): Promise<string | null> {
  const row = await db
    .selectFrom('releases')
    .select('releases.digest')
    .where('releases.project', '=', project)
    .where('releases.channel', '=', channel)
    .where((eb) =>
      // The newest rollout of the release decides: one that was retried after an abort is judged by the retry.
      eb(
        eb
          .selectFrom('rollouts')
          .select('rollouts.phase')
          .whereRef('rollouts.project', '=', 'releases.project')
          .whereRef('rollouts.release', '=', 'releases.digest')
          .orderBy('rollouts.created_at', 'desc')
          .limit(1),
        '=',
        'complete',
      ),
    )
    .orderBy('releases.sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.digest ?? null
}
