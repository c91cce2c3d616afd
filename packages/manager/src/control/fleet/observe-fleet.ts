import type { Target } from '@landfall/engine'
import type { FleetObservation, MemberObservation } from '@landfall/rollout'
import type { Model } from '@landfall/stack'
import { sql } from 'kysely'
import { absolute, type SiteNews, siteNews, siteSentence } from '../../exports/site-news.ts'
import type { Trx } from '../../store/database.ts'
import { prepareTargets } from '../../store/targets/prepare-targets.ts'

/** Newest controls that are shown to the machine: well below the 500 that it remembers, so that none is ever taken for new again. */
const controlsAtOnce = 200

/** What the controller reads of a deployment: a few fields, never the whole state. */
interface FleetRow {
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
}

export interface SeenFleet {
  observation: FleetObservation
  /** What each member would be told, by deployment. */
  targets: ReadonlyMap<string, Target>
  /** Targets that went back and are remembered as such, by deployment: telling them again needs a retry. */
  rejected: ReadonlySet<string>
}

/**
 * The fleet as one rollout sees it: all deployments of its channel, in a fixed number of queries whatever their number.
 *
 * @param now milliseconds since the epoch
 * @param offlineAfterMs a deployment that was not seen for this long does not count until it is; far above the cadence of looks at one
 *   that rests, and of an agent's polls
 */
export async function observeFleet(
  trx: Trx,
  rollout: { id: string; project: string; channel: string; release: string; phase: string },
  now: number,
  offlineAfterMs: number,
): Promise<SeenFleet> {
  const rows = await readRows(trx, rollout)
  const ids = rows.map((row) => row.id)
  const prepared = await prepareTargets(trx, rollout.project, ids, rollout.release, now, 'fleet')
  const sites = rows.filter((row) => row.model === 'airgapped').map((row) => row.id)
  const news = await siteNews(trx, sites)
  const targets = new Map<string, Target>()
  const members: MemberObservation[] = []
  const rejected = new Set<string>()
  for (const row of rows) {
    const one = prepared.get(row.id)
    // One that lacks an input still has to be seen; it gets a target that nobody is told, because it is excluded.
    const target = one && 'target' in one ? one.target : { digest: 'none', release: rollout.release, config: 'none' }
    const refusal = one && 'refusal' in one ? { code: one.refusal.code, message: one.refusal.message } : undefined
    targets.set(row.id, target)
    if (row.rejection) rejected.add(row.id)
    const ahead = row.ahead && rollout.phase === 'complete'
    const asked = row.told?.release === rollout.release
    members.push(memberOf({ ...row, ahead, asked }, refusal, news.get(row.id), { now, offlineAfterMs }))
  }
  return {
    targets,
    rejected,
    observation: {
      targets: Object.fromEntries([...targets].map(([id, target]) => [id, target.digest])),
      members,
      freeze: await readFreeze(trx, rollout.project, now),
      controls: await readControls(trx, rollout.id),
    },
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
        and not (self.phase = 'complete' and teller.phase = 'aborted'), false) as taken_over
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

/** `asked`: it was told this rollout's release. What its customer says of an earlier one says nothing of this one. */
type AskedRow = FleetRow & { asked: boolean }

interface Clocks {
  now: number
  offlineAfterMs: number
}

/** How one deployment stands towards what it was told. */
function memberOf(
  row: AskedRow,
  refusal: { code: string; message: string } | undefined,
  site: SiteNews | undefined,
  clock: Clocks,
): MemberObservation {
  const excluded = site
    ? { code: 'by-bundle', message: siteSentence(site, absolute) }
    : (exclusionOf(row, clock) ?? refusal)
  const told = row.told?.digest ?? null
  const base = {
    id: row.id,
    name: row.name,
    group: row.group_name,
    resting: row.resting,
    told,
    ...(excluded ? { excluded } : {}),
    ...(row.taken_over ? { takenOver: true } : {}),
  }
  if (!answered(row) || told === null) return { ...base, outcome: 'progressing' }
  if (row.rejection) {
    return { ...base, outcome: 'rolled-back', failure: { code: row.rejection.code, message: row.rejection.message } }
  }
  if (row.phase === 'failed') {
    return { ...base, outcome: 'failed', failure: { code: row.code ?? 'FAILED', message: row.message ?? 'It failed' } }
  }
  return { ...base, outcome: row.phase === 'running' && row.resting === told ? 'healthy' : 'progressing' }
}

/** Before the engine has taken up the newest generation, its state speaks of an earlier wish. */
const answered = (row: FleetRow) => row.generation === row.requested_generation

/** Reason codes of the engine by which a customer holds an update back. */
const heldBy: Readonly<Record<string, { code: string; message: string }>> = {
  WAITS_FOR_APPROVAL: { code: 'awaiting-approval', message: 'Its customer has not approved the update yet' },
  UPDATE_REFUSED: { code: 'refused', message: 'Its customer has refused the update' },
  UPDATES_PAUSED: { code: 'updates-paused', message: 'Its customer has paused updates' },
  WAITS_FOR_WINDOW: { code: 'outside-window', message: 'It is outside of its maintenance window' },
}

/** Why a deployment does not count now; undefined when it does. */
function exclusionOf(row: AskedRow, clock: Clocks): { code: string; message: string } | undefined {
  if (row.pinned !== null) return { code: 'pinned', message: 'It is pinned to a release' }
  if (row.phase === 'access-revoked') {
    return { code: 'access-revoked', message: row.message ?? 'Access to its environment was revoked' }
  }
  if (row.setup_release === null || row.phase === 'needs-setup') {
    return { code: 'needs-setup', message: 'A setup has to be applied by its customer first' }
  }
  const unseen = unseenOf(row, clock)
  if (unseen) return unseen
  const held = answered(row) && row.asked ? heldBy[row.code ?? ''] : undefined
  if (held) return held
  if (row.ahead) return { code: 'ahead', message: 'It was told a newer release already' }
  return undefined
}

/** An agent speaks without being asked, so silence means something even where nothing is due; a runner's does not. */
function unseenOf(row: FleetRow, { now, offlineAfterMs }: Clocks): { code: string; message: string } | undefined {
  if (row.model === 'pull' && row.last_seen_at === null) {
    return { code: 'not-enrolled', message: 'Its agent has never been seen' }
  }
  if ((row.idle && row.model === 'push') || row.last_seen_at === null) return undefined
  if (row.last_seen_at.getTime() >= now - offlineAfterMs) return undefined
  return { code: 'offline', message: `It was last seen at ${row.last_seen_at.toISOString()}` }
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
