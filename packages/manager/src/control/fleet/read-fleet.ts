import type { Target } from '@landfall/engine'
import type { FleetObservation } from '@landfall/rollout'
import type { Model } from '@landfall/stack'
import { sql } from 'kysely'
import { type SiteNews, siteNews } from '../../exports/site-news.ts'
import type { Trx } from '../../store/database.ts'
import { type Prepared, type PreparedTargets, readTargets } from '../../store/targets/prepare-targets.ts'

/** Newest controls that are shown to the machine: well below the 500 that it remembers, so that none is ever taken for new again. */
const controlsAtOnce = 200

/** What the controller reads of a deployment: a few fields, never the whole state. */
export interface FleetRow {
  id: string
  name: string
  group_name: string | null
  model: Model
  pinned: string | null
  phase: string
  setup_release: string | null
  last_seen_at: Date | null
  /** Nothing is asked of it and no look is due: that nobody has seen it for long says nothing. */
  idle: boolean
  requested_generation: number
  generation: number | null
  told: Target | null
  resting: string | null
  code: string | null
  message: string | null
  rejection: { code: string; message: string } | null
  /**
   * It was told a newer release. A rollout that is over leaves it there; one under way takes it, because a person who rolls an
   * older release out means it.
   */
  ahead: boolean
  /**
   * A newer rollout of the channel has told it. Two rollouts that each ask again until they see their own order obeyed would
   * send it to and fro for ever; one that is over may still bring along what a newer one was aborted on.
   */
  taken_over: boolean
  /** What it was told last is the way back of a rollout that was aborted, whether it is there yet or not. */
  going_back: boolean
}

/** All that one look at a rollout reads; nothing is decided in it. */
export interface FleetReading {
  rows: readonly FleetRow[]
  /** What each deployment would be told, or why it can't be, by id. */
  prepared: ReadonlyMap<string, Prepared>
  news: ReadonlyMap<string, SiteNews>
  freeze: FleetObservation['freeze']
  controls: FleetObservation['controls']
}

/** Reads the deployments of a rollout's channel, in a fixed number of queries whatever their number. */
export async function readFleet(
  trx: Trx,
  rollout: { id: string; project: string; channel: string; release: string },
  now: number,
): Promise<FleetReading & PreparedTargets> {
  const rows = await readRows(trx, rollout)
  const ids = rows.map((row) => row.id)
  const targets = await readTargets(trx, rollout.project, ids, rollout.release)
  const sites = rows.filter((row) => row.model === 'airgapped').map((row) => row.id)
  return {
    rows,
    ...targets,
    news: await siteNews(trx, sites),
    freeze: await readFreeze(trx, rollout.project, now),
    controls: await readControls(trx, rollout.id),
  }
}

async function readRows(
  trx: Trx,
  rollout: { id: string; project: string; channel: string; release: string },
): Promise<FleetRow[]> {
  const { rows } = await sql<FleetRow>`
    select d.id, d.name, d.group_name, d.model, d.pinned, d.phase, d.setup_release, d.last_seen_at, d.requested_generation,
      d.target is null or (d.wake_at is null and d.observed_generation >= d.requested_generation) as idle,
      (d.state ->> 'generation')::bigint as generation,
      d.target as told,
      d.state -> 'stable' ->> 'digest' as resting,
      d.state -> 'reason' ->> 'code' as code,
      d.state -> 'reason' ->> 'message' as message,
      jsonb_path_query_first(d.state, '$.rejected[*] ? (@.target == $told)',
        jsonb_build_object('told', d.target -> 'digest')) as rejection,
      coalesce(theirs.sequence > ours.sequence, false) as ahead,
      coalesce((teller.created_at, teller.id) > (self.created_at, self.id)
        and not (self.phase = 'complete' and teller.phase = 'aborted'), false) as taken_over,
      coalesce(teller.phase in ('aborting', 'aborted') and teller.release <> d.target_release, false) as going_back
    from deployments d
    join releases ours on ours.project = d.project and ours.digest = ${rollout.release}
    join rollouts self on self.id = ${rollout.id}
    left join rollouts teller on teller.id = d.rollout and teller.project = d.project and teller.channel = d.channel
    left join releases theirs on theirs.project = d.project and theirs.digest = d.target_release
    where d.project = ${rollout.project} and d.channel = ${rollout.channel}
      and d.deleted_at is null and d.operation = 'run'
    order by d.id`.execute(trx)
  return rows
}

async function readFreeze(trx: Trx, project: string, now: number): Promise<FleetObservation['freeze']> {
  const row = await trx
    .selectFrom('freezes')
    .select(['reason', 'until'])
    .where('project', '=', project)
    .where('lifted_at', 'is', null)
    .where((where) => where.or([where('until', 'is', null), where('until', '>', new Date(now))]))
    // The one that holds longest decides.
    .orderBy(sql`until desc nulls first`)
    .limit(1)
    .executeTakeFirst()
  return row ? { reason: row.reason, until: row.until?.getTime() ?? null } : null
}

async function readControls(trx: Trx, rollout: string): Promise<FleetObservation['controls']> {
  const rows = await trx
    .selectFrom('rollout_controls')
    .select(['id', 'kind', 'by', 'reason', 'at'])
    .where('rollout', '=', rollout)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(controlsAtOnce)
    .execute()
  return rows.reverse().map(({ reason, at, ...control }) => ({
    ...control,
    at: at.getTime(),
    ...(reason === null ? {} : { reason }),
  }))
}
