import { compareReleases } from '@landfall/release'
import { sql } from 'kysely'
import { createRollout } from '../../control/create-rollout.ts'
import type { Handlers } from '../../http/handler.ts'
import { invalid } from '../../http/parse-request.ts'
import { notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database } from '../../store/database.ts'
import { findRelease, type ReleaseRow } from '../../store/releases/find-release.ts'
import { publishRelease } from '../../store/releases/publish-release.ts'
import { releaseRows, releaseView } from '../views/release-view.ts'

export const releaseHandlers = {
  createRelease: async ({ params, body, actor }, services) => {
    const { db, clock, waker } = services
    const at = clock.now()
    const { project } = params
    const { digest, rollout } = await db.transaction().execute(async (trx) => {
      const published = await publishRelease(trx, { project, envelope: body.envelope, actor, at })
      const { digest } = published
      const starts = published.fresh && body.rollout === 'start'
      const plan = body.plan === undefined ? {} : { plan: body.plan }
      const started = starts ? await createRollout(trx, { project, release: digest, ...plan, by: actor, at }) : null
      return { digest, rollout: started }
    })
    waker.wake('rollouts', 'changes')
    const view = await one(db, project, digest)
    return { release: view, rollout: rollout ?? view.rollout }
  },

  nextSequence: async ({ params }, { db }) => ({ next: (await findProject(db, params.project)).last_sequence + 1 }),

  listReleases: async ({ params, query }, { db }) => {
    await findProject(db, params.project)
    let rows = releaseRows(db, params.project)
      .orderBy('releases.sequence', 'desc')
      .limit(query.limit + 1)
    if (query.channel !== undefined) rows = rows.where('releases.channel', '=', query.channel)
    if (query.after !== undefined) rows = rows.where('releases.sequence', '<', sequenceOf(query.after))
    const found = await rows.execute()
    const items = found.slice(0, query.limit)
    const last = items.at(-1)
    return { items: items.map(releaseView), next: found.length > items.length && last ? String(last.sequence) : null }
  },

  getRelease: async ({ params }, { db }) => {
    const row = await findRelease(db, params.project, params.release)
    const before = await previousRelease(db, params.project, row)
    const difference = compareReleases(before?.statement ?? null, row.statement)
    return {
      ...(await one(db, params.project, row.digest)),
      manifest: row.statement.manifest,
      envelope: row.envelope,
      difference: {
        from: difference.from,
        lines: difference.lines.map(({ area, change }) => ({ area, change })),
      },
      deployments: await deploymentsOf(db, params.project, row),
    }
  },
} satisfies Partial<Handlers>

async function one(db: Database, project: string, digest: string) {
  const row = await releaseRows(db, project).where('releases.digest', '=', digest).executeTakeFirst()
  if (!row) throw notFound(`release ${digest}`)
  return releaseView(row)
}

function sequenceOf(after: string): number {
  if (/^\d{1,15}$/.test(after)) return Number(after)
  throw invalid([{ path: 'after', message: 'is not a cursor of this list: take `next` of the page before' }])
}

/** The release before it in its channel. */
function previousRelease(db: Database, project: string, row: ReleaseRow) {
  return db
    .selectFrom('releases')
    .select('statement')
    .where('project', '=', project)
    .where('channel', '=', row.channel)
    .where('sequence', '<', row.sequence)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function deploymentsOf(db: Database, project: string, release: ReleaseRow) {
  const rows = await db
    .selectFrom('deployments')
    .select(['id', 'name', 'actual_release', 'target_release', 'phase'])
    .select(
      sql<number | null>`(select r.sequence from releases r where r.project = deployments.project
        and r.digest = deployments.actual_release)`.as('actual_sequence'),
    )
    .where('project', '=', project)
    .where('deleted_at', 'is', null)
    .where(
      sql<boolean>`(actual_release = ${release.digest} or target_release = ${release.digest} or exists (
        select from targets t where t.deployment = deployments.id and t.target ->> 'release' = ${release.digest}))`,
    )
    .orderBy('name')
    .limit(1000)
    .execute()
  const arriving = ['pending', 'setting-up', 'updating', 'needs-setup']
  return rows.flatMap(({ id, name, phase, ...row }): { id: string; name: string; state: DeploymentMark }[] => {
    if (row.actual_release === release.digest) return [{ id, name, state: 'running' }]
    if (row.target_release === release.digest && arriving.includes(phase)) return [{ id, name, state: 'arriving' }]
    // It was told this release and rests on an older one. One that rests on a newer one simply went on.
    const older = row.actual_sequence !== null && row.actual_sequence < release.sequence
    return older ? [{ id, name, state: 'went-back' }] : []
  })
}

type DeploymentMark = 'running' | 'arriving' | 'went-back'
