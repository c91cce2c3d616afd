import { sql } from 'kysely'
import type { Handlers } from '../../http/handler.ts'
import { notFound } from '../../http/refusals.ts'
import { findProject } from '../../store/accounts/projects.ts'
import type { Database } from '../../store/database.ts'
import { createDeployment } from '../../store/deployments/create-deployment.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { findRelease } from '../../store/releases/find-release.ts'
import { releaseIndex } from '../../store/releases/release-index.ts'
import { deploymentDetailView } from '../views/deployment-detail.ts'
import {
  allDeploymentRows,
  type DeploymentView,
  deploymentRows,
  deploymentView,
  healthSql,
} from '../views/deployment-rows.ts'
import { explanationOf } from '../views/explanation.ts'
import { fleetView } from '../views/fleet-view.ts'
import { rejectedVersions } from '../views/rejected-versions.ts'

export const deploymentHandlers = {
  listDeployments: async ({ params, query }, { db }) => {
    await findProject(db, params.project)
    const releases = await releaseIndex(db, params.project)
    let rows = deploymentRows(db, params.project)
      .orderBy('name')
      .limit(query.limit + 1)
    if (query.after !== undefined) rows = rows.where('name', '>', query.after)
    if (query.group !== undefined) rows = rows.where('group_name', '=', query.group)
    if (query.channel !== undefined) rows = rows.where('channel', '=', query.channel)
    if (query.health !== undefined) rows = rows.where(healthSql, '=', query.health)
    if (query.phase !== undefined) rows = rows.where(sql`phase`, '=', query.phase)
    if (query.model !== undefined) rows = rows.where('model', '=', query.model)
    if (query.text !== undefined) {
      // Taken as it is written: `%` and `_` mean themselves.
      const text = query.text
      rows = rows.where(
        sql<boolean>`(strpos(lower(name), lower(${text})) > 0 or strpos(lower(coalesce(group_name, '')), lower(${text})) > 0)`,
      )
    }
    if (query.version !== undefined) {
      const version = query.version
      rows = rows.where(
        sql<boolean>`actual_release = (select digest from releases where project = ${params.project} and version = ${version})`,
      )
    }
    const found = await rows.execute()
    const items = found.slice(0, query.limit)
    return {
      items: items.map((row) => deploymentView(row, releases)),
      next: found.length > items.length ? (items.at(-1)?.name ?? null) : null,
    }
  },

  fleet: async ({ params }, { db }) => {
    await findProject(db, params.project)
    const releases = await releaseIndex(db, params.project)
    const rows = await deploymentRows(db, params.project).execute()
    return fleetView(rows.map((row) => deploymentView(row, releases)))
  },

  createDeployment: async ({ params, body, actor }, { db, clock, keyring, waker, settings }) => {
    const at = clock.now()
    const { environmentsDirectory } = settings
    const creation = { project: params.project, deployment: body, environmentsDirectory, actor, at }
    const id = await db.transaction().execute((trx) => createDeployment(trx, keyring, creation))
    waker.wake('deployments', 'rollouts', 'changes')
    return viewOf(db, params.project, id)
  },

  getDeployment: async ({ params }, { db }) => {
    const row = await findDeployment(db, params.project, params.deployment)
    const view = await viewOf(db, params.project, row.id)
    const releases = await releaseIndex(db, params.project)
    const load = (digest: string | null) =>
      digest && releases.get(digest) ? findRelease(db, params.project, digest) : null
    const [actual, target, setup, rejected] = await Promise.all([
      load(row.actual_release),
      load(row.target_release),
      load(row.setup_release),
      rejectedVersions(db, row),
    ])
    return deploymentDetailView({ row, view, releases, actual, target, setup, rejected })
  },

  explainDeployment: async ({ params }, { db, clock }) => {
    const row = await findDeployment(db, params.project, params.deployment)
    const view = await viewOf(db, params.project, row.id)
    return explanationOf(db, row, view, clock.now())
  },
} satisfies Partial<Handlers>

/** One deployment as the lists show it; also one that was destroyed a moment ago. */
export async function viewOf(db: Database, project: string, id: string): Promise<DeploymentView> {
  const row = await allDeploymentRows(db, project).where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound(`deployment ${id}`)
  return deploymentView(row, await releaseIndex(db, project))
}
