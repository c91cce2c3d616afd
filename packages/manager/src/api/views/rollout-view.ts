import type { rolloutDetail, rollout as rolloutSchema } from '@landfall/contract'
import type { FleetState, Member } from '@landfall/rollout'
import { type Selectable, sql } from 'kysely'
import type { z } from 'zod'
import { agoFrom, siteNews, siteSentence } from '../../exports/site-news.ts'
import type { Database } from '../../store/database.ts'
import type { RolloutsTable } from '../../store/tables/rollouts.ts'

export type RolloutRow = Selectable<RolloutsTable>
type RolloutView = z.output<typeof rolloutSchema>

const iso = (at: number) => new Date(at).toISOString()
const targetDigest = sql<string | null>`targets.target ->> 'digest'`
const targetRelease = sql<string>`targets.target ->> 'release'`
const workersColumn = sql<MemberRow['workers']>`jsonb_path_query_array(state, '$.workers.*')`.as('workers')
const emptyState = { members: {}, decisions: [], wave: 0 }

/** A rollout as lists show it. */
export function rolloutView(row: RolloutRow): RolloutView {
  const { state } = row
  const reason = state?.reason ?? { code: 'started', message: 'Begins', since: row.created_at.getTime() }
  return {
    id: row.id,
    release: row.release,
    version: row.version,
    channel: row.channel,
    phase: row.phase,
    wave: state?.wave ?? 0,
    waves: wavesOf(row, Object.values(state?.members ?? {})),
    reason: { ...reason, since: iso(reason.since) },
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    finishedAt: row.finished_at?.toISOString() ?? null,
  }
}

/** The plan's waves with where their members stand; deployments that no wave names follow as `rest`. */
function wavesOf(row: RolloutRow, members: readonly Member[]): RolloutView['waves'] {
  const names = row.plan.waves.map((wave) => wave.name)
  if (members.some((member) => member.wave >= names.length)) names.push('rest')
  return names.map((name, index) => {
    const mine = members.filter((member) => member.wave === index)
    const count = (...statuses: Member['status'][]) => mine.filter((each) => statuses.includes(each.status)).length
    return {
      name,
      total: mine.length,
      counted: mine.length - count('excluded'),
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
  const state: Pick<FleetState, 'members' | 'decisions'> = row.state ?? emptyState
  const members = Object.values(state.members)
  const [rows, from, reasons] = await Promise.all([
    deploymentsOf(db, members),
    versionsBefore(db, row.project, members),
    newestReasons(db, members, now),
  ])
  const view = rolloutView(row)
  return {
    ...view,
    plan: row.plan,
    members: members
      .map((member) => {
        const deployment = rows.get(member.id)
        return {
          deployment: member.id,
          name: deployment?.name ?? member.id,
          group: deployment?.group_name ?? null,
          wave: member.wave,
          status: member.status,
          reason: reasons.get(member.id) ?? member.reason ?? null,
          since: iso(member.since),
          ...sharesOf(deployment?.workers ?? null),
          fromVersion: from.get(`${member.id} ${member.from}`) ?? null,
        }
      })
      .sort((a, b) => a.wave - b.wave || (a.name < b.name ? -1 : 1)),
    decisions: state.decisions.map(({ at, code, message, by }) => ({ at: iso(at), code, message, by: by ?? null })),
    sentence: `${row.version} to ${row.channel}: ${view.reason.message}`,
  }
}

interface MemberRow {
  name: string
  group_name: string | null
  workers: { rollout: { phase: string; asked: number; served: number } | null; candidate: string | null }[] | null
}

/** Names, groups, and what their workers' rollouts say; never the whole states. */
async function deploymentsOf(db: Database, members: readonly Member[]): Promise<Map<string, MemberRow>> {
  if (members.length === 0) return new Map()
  const rows = await db
    .selectFrom('deployments')
    .select(['id', 'name', 'group_name'])
    .select(workersColumn)
    .where(
      'id',
      'in',
      members.map((member) => member.id),
    )
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** What a site reported and what was made for it is told as it is now: the rollout itself does not look again for its sake. */
async function newestReasons(
  db: Database,
  members: readonly Member[],
  now: number,
): Promise<Map<string, { code: string; message: string }>> {
  const sites = members.filter((member) => member.reason?.code === 'by-bundle').map((member) => member.id)
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

/** Versions of the targets that members had before, by `deployment digest`. */
async function versionsBefore(db: Database, project: string, members: readonly Member[]): Promise<Map<string, string>> {
  const told = members.filter((member) => member.from !== null)
  if (told.length === 0) return new Map()
  const rows = await db
    .selectFrom('targets')
    .innerJoin('releases', (join) =>
      join.on((on) => on(targetRelease, '=', on.ref('releases.digest'))).on('releases.project', '=', project),
    )
    .select(['targets.deployment', 'releases.version', targetDigest.as('digest')])
    .where(
      'targets.deployment',
      'in',
      told.map((member) => member.id),
    )
    .where(
      targetDigest,
      'in',
      told.map((member) => member.from),
    )
    .execute()
  return new Map(rows.map((row) => [`${row.deployment} ${row.digest}`, row.version]))
}
