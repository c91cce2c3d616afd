import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import { defaultOfflineAfterMs } from './advance-rollout.ts'

/**
 * Has the newest completed rollout of each channel look again where a deployment of the channel was told something else than
 * it: created, unpinned or moved to the channel since, or in flight to another release when it was made. Nothing has to
 * remember to tell: what differs is found. Channels with a rollout under way are left to that. Nobody is woken for deployments that were
 * told a newer release, that get theirs by bundle, or whose agent is silent: those are found once they are heard again. Answers how many
 * rollouts were woken.
 */
export async function wakeLate(db: Database, now: number, offlineAfterMs = defaultOfflineAfterMs): Promise<number> {
  const result = await sql`
    update rollouts r set requested_generation = requested_generation + 1
    from (
      select distinct on (project, channel) id, project, channel, release
      from rollouts where phase = 'complete'
      order by project, channel, created_at desc, id desc
    ) newest
    join releases on releases.project = newest.project and releases.digest = newest.release
    where r.id = newest.id and r.requested_generation = r.observed_generation
      and not exists (select from rollouts o
        where o.project = newest.project and o.channel = newest.channel and o.finished_at is null)
      and exists (select from deployments d
        left join releases told on told.project = d.project and told.digest = d.target_release
        where d.project = newest.project and d.channel = newest.channel
          and d.deleted_at is null and d.operation = 'run' and d.pinned is null
          and (d.model = 'push' or (d.model = 'pull' and d.last_seen_at > ${new Date(now - offlineAfterMs)})) and d.setup_release is not null
          and d.target_release is distinct from newest.release
          and coalesce(told.sequence, 0) < releases.sequence)`.execute(db)
  return Number(result.numAffectedRows ?? 0)
}
