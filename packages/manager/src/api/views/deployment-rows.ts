import type { deployment as deploymentSchema } from '@landfall/contract'
import type { Target } from '@landfall/engine'
import type { Reason } from '@landfall/rollout'
import { sql } from 'kysely'
import type { z } from 'zod'
import type { Database } from '../../store/database.ts'
import type { ReleaseIndex } from '../../store/releases/release-index.ts'

export type DeploymentView = z.output<typeof deploymentSchema>

/**
 * Health in one word, by what the engine saw of the resources: in SQL, so that a list can be filtered by it without reading
 * every state.
 */
export const healthSql = sql<DeploymentView['health']>`(case
  when state is null or phase in ('access-revoked', 'deleting', 'deleted') then 'unknown'
  when phase = 'failed' and state -> 'stable' = 'null'::jsonb then 'failed'
  when jsonb_path_exists(state, '$.resources.*.phase ? (@ == "failed")') then 'failed'
  when phase = 'failed' or jsonb_path_exists(state, '$.resources.*.phase ? (@ == "degraded")') then 'degraded'
  when state -> 'stable' = 'null'::jsonb then 'unknown'
  else 'healthy' end)`

/** Rows of the fleet page: small parts of the state only, because a whole one holds every plot. Deleted ones are left out. */
export function deploymentRows(db: Database, project: string) {
  return allDeploymentRows(db, project).where('deleted_at', 'is', null)
}

/** The same with those that were destroyed: an answer may be written after its deployment is gone. */
export function allDeploymentRows(db: Database, project: string) {
  return db
    .selectFrom('deployments')
    .select([
      'id',
      'name',
      'group_name',
      'channel',
      'pinned',
      'platform',
      'model',
      'phase',
      'target',
      'created_at',
      'last_seen_at',
      'requested_generation',
      'observed_generation',
    ])
    .select([
      sql<Target | null>`state -> 'stable'`.as('stable'),
      sql<Reason | null>`state -> 'reason'`.as('reason'),
      healthSql.as('health'),
      sql<string | null>`(select r.id from rollouts r where r.id = deployments.rollout and r.finished_at is null)`.as(
        'rollout',
      ),
    ])
    .where('project', '=', project)
}

export type DeploymentListRow = Awaited<ReturnType<ReturnType<typeof deploymentRows>['execute']>>[number]

export function deploymentView(row: DeploymentListRow, releases: ReleaseIndex): DeploymentView {
  const ref = (target: Target | null) =>
    target && { ...target, version: releases.get(target.release)?.version ?? 'unknown' }
  const pinned = releases.get(row.pinned)
  const channel = releases.allowedIn(row.channel)
  const newest = pinned ?? channel[0]
  // What never ran anything is behind nothing: that it runs nothing is told by `actual`.
  const sequence = row.stable ? (releases.get(row.stable.release)?.sequence ?? 0) : Number.POSITIVE_INFINITY
  // A pinned deployment is where it is meant to be, however many releases there are behind the pin.
  const versionsBehind = channel.filter(
    (one) => one.sequence > sequence && one.sequence <= (newest?.sequence ?? 0),
  ).length
  return {
    id: row.id,
    name: row.name,
    group: row.group_name,
    channel: row.channel,
    pinned: pinned?.version ?? null,
    platform: row.platform,
    model: row.model,
    phase: row.phase,
    actual: ref(row.stable),
    target: ref(row.target),
    newest: newest?.version ?? null,
    versionsBehind,
    health: row.health,
    reason: reasonOf(row),
    rollout: row.rollout,
    lastSeenAt: row.last_seen_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }
}

function reasonOf(row: DeploymentListRow): DeploymentView['reason'] {
  if (row.reason) return { ...row.reason, since: new Date(row.reason.since).toISOString() }
  const since = row.created_at.toISOString()
  return row.target === null
    ? { code: 'NO_RELEASE', message: 'Waits for its first release.', since }
    : { code: 'NOT_SEEN', message: 'Waits for its runner to look at it.', since }
}
