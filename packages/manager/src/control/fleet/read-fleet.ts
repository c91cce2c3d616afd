import type { Target } from '@landfall/engine'
import type { FleetObservation, Member } from '@landfall/rollout'
import type { Model } from '@landfall/stack'
import { sql } from 'kysely'
import { type SiteNews, siteNews } from '../../exports/site-news.ts'
import type { Trx } from '../../store/database.ts'
import { type Prepared, type PreparedTargets, readTargets } from '../../store/targets/prepare-targets.ts'
import { type MemberColumns, memberOf } from './member-row.ts'

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
  /** Targets that its engine remembers as gone back or refused; null: none. */
  rejected: readonly { target: string; code: string; message: string }[] | null
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
  /** Digest of what it rested on before that. */
  rested_before: string | null
  /** It rests on the rollout's release, with whatever config. */
  rests_on_ours: boolean
  /** The rollout that told it last was aborted and has still to bring it back there. */
  going_back: { to: string | null; unsure: boolean } | null
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

/** A reading of the store, with what the writer needs to write only what differs. */
export interface StoredReading extends FleetReading {
  /** The rollout's members as they are stored, by deployment. */
  members: Record<string, Member>
  /** Targets that were worked out in this look, and what of: the others are as they were stored. */
  fresh: PreparedTargets
  bases: ReadonlyMap<string, string>
}

/** Reads the deployments of a rollout's channel and its members, in a fixed number of queries whatever their number. */
export async function readFleet(
  trx: Trx,
  rollout: { id: string; project: string; channel: string; release: string },
  now: number,
): Promise<StoredReading> {
  const rows = await readRows(trx, rollout)
  const members: Record<string, Member> = {}
  const prepared = new Map<string, Prepared>()
  const bases = new Map<string, string>()
  const sites: string[] = []
  let here = 0
  for (const row of rows) {
    if (row.status !== null) {
      members[row.id] = memberOf(row.id, row as MemberColumns)
      here += 1
    }
    if (row.model === 'airgapped') sites.push(row.id)
    const { basis, target: digest, config } = row
    if (basis !== null) bases.set(row.id, basis)
    else if (digest !== null && config !== null)
      prepared.set(row.id, { target: { digest, release: rollout.release, config } })
  }
  if ((await countMembers(trx, rollout.id)) > here) Object.assign(members, await readGone(trx, rollout))
  const fresh = await readTargets(trx, rollout.project, [...bases.keys()], rollout.release)
  for (const [id, one] of fresh.prepared) prepared.set(id, one)
  return {
    rows,
    prepared,
    members,
    fresh,
    bases,
    news: await siteNews(trx, sites),
    freeze: await readFreeze(trx, rollout.project, now),
    controls: await readControls(trx, rollout.id),
  }
}

/** A deployment with its member; `status` null where it is none yet. */
type StoredRow = FleetRow & { [name in keyof MemberColumns]: MemberColumns[name] | null } & {
  config: string | null
  /** What its target is made of now; null where the stored target was made of the same. */
  basis: string | null
}

async function readRows(
  trx: Trx,
  rollout: { id: string; project: string; channel: string; release: string },
): Promise<StoredRow[]> {
  const { rows } = await sql<StoredRow>`
    select d.id, d.name, d.group_name, d.model, d.pinned, d.phase, d.setup_release, d.last_seen_at, d.requested_generation,
      d.target is null or (d.wake_at is null and d.observed_generation >= d.requested_generation) as idle,
      d.state_generation as generation, d.target as told, d.resting, d.reason_code as code, d.reason_message as message, d.rejected,
      d.rested_before, d.actual_release is not distinct from ${rollout.release} as rests_on_ours,
      coalesce(theirs.sequence > ours.sequence, false) as ahead,
      coalesce((teller.created_at, teller.id) > (self.created_at, self.id)
        and not (self.phase = 'complete' and teller.phase = 'aborted'), false) as taken_over,
      back.way as going_back,
      m.wave, m.status, m.since, m.origin, m.target, m.config, m.reached, m.unsure, m.again, m.reason_code, m.reason_message,
      nullif(basis.now, m.basis) as basis
    from deployments d
    join releases ours on ours.project = d.project and ours.digest = ${rollout.release}
    join rollouts self on self.id = ${rollout.id}
    left join rollouts teller on teller.id = d.rollout and teller.project = d.project and teller.channel = d.channel
    -- One row by its key: the planner does not know yet how many members a rollout has that has just begun.
    left join lateral (
      select jsonb_build_object('to', x.origin, 'unsure', x.unsure) as way from rollout_members x
      where teller.phase in ('aborting', 'aborted') and teller.id <> self.id
        and x.rollout = teller.id and x.deployment = d.id and x.status = 'returning' limit 1
    ) back on true
    left join releases theirs on theirs.project = d.project and theirs.digest = d.target_release
    left join rollout_members m on m.rollout = ${rollout.id} and m.deployment = d.id
    left join (
      select i.deployment, string_agg(i.name || '=' || i.value::text, E'\\n' order by i.name) as given
      from inputs i join deployments o on o.id = i.deployment
      where o.project = ${rollout.project} and o.channel = ${rollout.channel} group by i.deployment
    ) inputs on inputs.deployment = d.id
    left join (
      select x.deployment, string_agg(concat_ws(' ', x.name, x.version, x.hash, x.removed_at is null), E'\\n'
        order by x.name, x.version) as given
      from secrets x join deployments o on o.id = x.deployment
      where o.project = ${rollout.project} and o.channel = ${rollout.channel} group by x.deployment
    ) secrets on secrets.deployment = d.id
    cross join lateral (select md5(concat_ws(E'\\n\\n', 'v1', inputs.given, '', secrets.given)) as now) basis
    where d.project = ${rollout.project} and d.channel = ${rollout.channel}
      and d.deleted_at is null and d.operation = 'run'
    order by d.id`.execute(trx)
  return rows
}

async function countMembers(trx: Trx, rollout: string): Promise<number> {
  const { rows } = await sql<{ members: number }>`
    select count(*) as members from rollout_members where rollout = ${rollout}`.execute(trx)
  return rows[0]?.members ?? 0
}

/** Members whose deployment the channel does not have any more. */
async function readGone(
  trx: Trx,
  rollout: { id: string; project: string; channel: string },
): Promise<Record<string, Member>> {
  const { rows } = await sql<MemberColumns & { deployment: string }>`
    select m.* from rollout_members m where m.rollout = ${rollout.id} and not exists (select from deployments d
      where d.id = m.deployment and d.project = ${rollout.project} and d.channel = ${rollout.channel}
        and d.deleted_at is null and d.operation = 'run')`.execute(trx)
  return Object.fromEntries(rows.map((row) => [row.deployment, memberOf(row.deployment, row)]))
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
