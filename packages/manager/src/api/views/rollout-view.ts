import type { rolloutDetail, rollout as rolloutSchema } from '@landfall/contract'
import type { MemberStatus } from '@landfall/rollout'
import { type Selectable, sql } from 'kysely'
import type { z } from 'zod'
import { agoFrom, siteNews, siteSentence } from '../../exports/site-news.ts'
import type { Database } from '../../store/database.ts'
import { countMembers, type MemberCount } from '../../store/rollouts/count-members.ts'
import type { RolloutsTable } from '../../store/tables/rollouts.ts'

export type RolloutRow = Selectable<RolloutsTable>
type RolloutView = z.output<typeof rolloutSchema>

const iso = (at: number) => new Date(at).toISOString()

/** Rollouts as lists show them. */
export async function rolloutViews(db: Database, rows: readonly RolloutRow[]): Promise<RolloutView[]> {
  const counts = await countMembers(
    db,
    rows.map((row) => row.id),
  )
  return rows.map((row) => viewOf(row, counts.get(row.id) ?? []))
}

/** A rollout as lists show it. */
export async function rolloutView(db: Database, row: RolloutRow): Promise<RolloutView> {
  return viewOf(row, (await countMembers(db, [row.id])).get(row.id) ?? [])
}

function viewOf(row: RolloutRow, counts: readonly MemberCount[]): RolloutView {
  const { state } = row
  const reason = state?.reason ?? { code: 'started', message: 'Begins', since: row.created_at.getTime() }
  return {
    id: row.id,
    release: row.release,
    version: row.version,
    channel: row.channel,
    phase: row.phase,
    wave: state?.wave ?? 0,
    waves: wavesOf(row, counts),
    reason: { ...reason, since: iso(reason.since) },
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    finishedAt: row.finished_at?.toISOString() ?? null,
  }
}

/** The plan's waves with where their members stand; deployments that no wave names follow as `rest`. */
function wavesOf(row: RolloutRow, counts: readonly MemberCount[]): RolloutView['waves'] {
  const names = row.plan.waves.map((wave) => wave.name)
  if (counts.some(({ wave }) => wave >= names.length)) names.push('rest')
  return names.map((name, index) => {
    const mine = counts.filter(({ wave }) => wave === index)
    const sum = (of: readonly MemberCount[]) => of.reduce((total, { members }) => total + members, 0)
    const count = (...statuses: MemberStatus[]) => sum(mine.filter(({ status }) => statuses.includes(status)))
    return {
      name,
      total: sum(mine),
      counted: sum(mine) - count('excluded'),
      succeeded: count('succeeded'),
      failed: count('failed'),
      inFlight: count('in-flight', 'returning'),
      returned: count('returned'),
    }
  })
}

/** A rollout with its members and decisions. */
export async function rolloutDetailView(
  db: Database,
  row: RolloutRow,
  now: number,
): Promise<z.output<typeof rolloutDetail>> {
  const members = await membersOf(db, row)
  const [view, from, reasons] = await Promise.all([
    rolloutView(db, row),
    versionsBefore(db, row),
    newestReasons(db, members, now),
  ])
  return {
    ...view,
    plan: row.plan,
    members: members
      .map((member) => ({
        deployment: member.id,
        name: member.name ?? member.id,
        group: member.group_name,
        wave: member.wave,
        status: member.status,
        reason:
          reasons.get(member.id) ??
          (member.reason_code === null ? null : { code: member.reason_code, message: member.reason_message ?? '' }),
        since: iso(member.since),
        ...sharesOf(member.workers),
        fromVersion: from.get(member.id) ?? null,
      }))
      .sort((a, b) => a.wave - b.wave || (a.name < b.name ? -1 : 1)),
    decisions: (row.state?.decisions ?? []).map(({ at, code, message, by }) => ({
      at: iso(at),
      code,
      message,
      by: by ?? null,
    })),
    sentence: `${row.version} to ${row.channel}: ${view.reason.message}`,
  }
}

interface MemberRow {
  id: string
  wave: number
  status: MemberStatus
  since: number
  reason_code: string | null
  reason_message: string | null
  /** Null where the deployment is not there any more. */
  name: string | null
  group_name: string | null
  workers: { rollout: { phase: string; asked: number; served: number } | null; candidate: string | null }[] | null
}

/** Members with names, groups, and what their workers' rollouts say; never the whole states. */
async function membersOf(db: Database, rollout: RolloutRow): Promise<MemberRow[]> {
  const { rows } = await sql<MemberRow>`
    select m.deployment as id, m.wave, m.status, m.since, m.reason_code, m.reason_message, d.name, d.group_name,
      jsonb_path_query_array(d.state, '$.workers.*') as workers
    from rollout_members m left join deployments d on d.id = m.deployment
    where m.rollout = ${rollout.id} order by m.deployment`.execute(db)
  return rows
}

/** What a site reported and what was made for it is told as it is now: the rollout itself does not look again for its sake. */
async function newestReasons(
  db: Database,
  members: readonly MemberRow[],
  now: number,
): Promise<Map<string, { code: string; message: string }>> {
  const sites = members.filter((member) => member.reason_code === 'by-bundle').map((member) => member.id)
  const news = await siteNews(db, sites)
  return new Map([...news].map(([id, one]) => [id, { code: 'by-bundle', message: siteSentence(one, agoFrom(now)) }]))
}

/** The largest share that moves in a deployment now; null when nothing does. */
function sharesOf(workers: MemberRow['workers']): { asked: number | null; served: number | null } {
  const moving = (workers ?? []).flatMap((worker) =>
    worker.candidate !== null && worker.rollout ? [worker.rollout] : [],
  )
  if (moving.length === 0) return { asked: null, served: null }
  return {
    asked: Math.max(...moving.map((rollout) => rollout.asked)),
    served: Math.max(...moving.map((rollout) => rollout.served)),
  }
}

/** Versions of the targets that members had before, by deployment. */
async function versionsBefore(db: Database, rollout: RolloutRow): Promise<Map<string, string>> {
  const { rows } = await sql<{ deployment: string; version: string }>`
    select m.deployment, releases.version
    from rollout_members m
    join targets on targets.deployment = m.deployment and targets.target ->> 'digest' = m.origin
    join releases on releases.project = ${rollout.project} and releases.digest = targets.target ->> 'release'
    where m.rollout = ${rollout.id} and m.origin is not null`.execute(db)
  return new Map(rows.map((row) => [row.deployment, row.version]))
}
