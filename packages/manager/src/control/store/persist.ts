import type { DeploymentState, EngineEvent, Lease } from '@landfall/engine'
import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Database } from '../../store/database.ts'
import { staleEpoch } from './stale.ts'

/** What a written state means to others. */
export interface Persisted {
  /** The fleet rollout that told the deployment its target, where its phase or generation moved: that rollout looks again. */
  nudge: string | null
}

/**
 * Writes the state, its events to the deployment's audit chain, and a change, in one transaction, if the lease is current.
 * A state `deleted` ends the deployment's row for every list.
 * @throws LandfallError `E_STALE_EPOCH`; then nothing was written
 */
export async function persist(
  db: Database,
  lease: Lease,
  state: DeploymentState,
  events: readonly EngineEvent[],
  now: number,
): Promise<Persisted> {
  return db.transaction().execute(async (trx) => {
    const before = await trx
      .selectFrom('deployments')
      .select(['project', 'rollout', 'phase', sql<number | null>`(state->>'generation')::bigint`.as('generation')])
      .where('id', '=', lease.deployment)
      .where('lease_epoch', '=', lease.epoch)
      .where('lease_owner', '=', lease.owner)
      .forUpdate()
      .executeTakeFirst()
    if (!before) throw staleEpoch(lease)
    await trx
      .updateTable('deployments')
      .set({
        state: JSON.stringify(state),
        // A long turn is seen while it runs, not only when it gives its lease back.
        ...(state.phase === 'access-revoked' || state.phase === 'pending' ? {} : { last_seen_at: new Date(now) }),
        ...(state.phase === 'deleted' ? { deleted_at: new Date(now) } : {}),
      })
      .where('id', '=', lease.deployment)
      .execute()
    const project = before.project
    await publishChanges(trx, [{ project, kind: 'deployment', id: lease.deployment, at: now }])
    await appendAudit(
      trx,
      events.map(({ at, type, code, message, resource, data }) => ({
        project,
        deployment: lease.deployment,
        actor: 'engine',
        at,
        type,
        code: code ?? null,
        message,
        resource: resource ?? null,
        data: data ?? null,
      })),
    )
    const moved = before.phase !== state.phase || before.generation !== state.generation
    return { nudge: moved ? before.rollout : null }
  })
}
