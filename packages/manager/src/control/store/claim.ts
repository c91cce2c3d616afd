import type { Claimed } from '@landfall/engine'
import type { Model, PlatformName } from '@landfall/stack'
import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import { desiredColumns, desiredOf } from './desired-row.ts'

/** Which deployments a runner takes: the wiring says it, nothing below asks. */
export interface Scope {
  models: readonly Model[]
  platforms: readonly PlatformName[]
}

/**
 * Takes the deployment that is due longest and that nobody holds, or the named one if nobody holds it; null when there is none.
 * Rows that another claimer has locked are passed over, so that claimers never wait for each other. Every claim raises the
 * epoch: what its earlier holder still writes is refused.
 */
export async function claim(
  db: Database,
  scope: Scope,
  request: { owner: string; ttlMs: number; now: number; deployment?: string | undefined },
): Promise<Claimed | null> {
  const now = new Date(request.now)
  const until = new Date(request.now + request.ttlMs)
  const wanted =
    request.deployment === undefined
      ? sql<boolean>`(requested_generation > observed_generation or wake_at <= ${now})`
      : sql<boolean>`id = ${request.deployment}`
  const row = await db
    .with('due', (cte) =>
      cte
        .selectFrom('deployments')
        .select('id')
        .where(sql<boolean>`deleted_at is null`)
        .where('model', 'in', [...scope.models])
        .where('platform', 'in', [...scope.platforms])
        .where(sql<boolean>`(lease_until is null or lease_until <= ${now})`)
        .where(wanted)
        .orderBy(sql`least(wake_at, case when requested_generation > observed_generation then requested_at end), id`)
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('deployments')
    .from('due')
    .set({ lease_owner: request.owner, lease_until: until, lease_epoch: sql`lease_epoch + 1` })
    .whereRef('deployments.id', '=', 'due.id')
    .returning((builder) => [...desiredColumns(builder), 'lease_epoch', 'state'])
    .executeTakeFirst()
  if (!row) return null
  return {
    lease: { deployment: row.id, owner: request.owner, epoch: row.lease_epoch, expiresAt: until.getTime() },
    desired: desiredOf(row),
    state: row.state,
  }
}
