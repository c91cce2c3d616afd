import type { DeploymentState, EngineEvent, Lease } from '@landfall/engine'
import { appendAudit } from '../../audit/append-audit.ts'
import type { Database } from '../../store/database.ts'
import { staleEpoch } from './stale.ts'
import { beforeColumns, type Persisted, writeState } from './write-state.ts'

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
      .select(beforeColumns)
      .where('id', '=', lease.deployment)
      .where('lease_epoch', '=', lease.epoch)
      .where('lease_owner', '=', lease.owner)
      .forUpdate()
      .executeTakeFirst()
    if (!before) throw staleEpoch(lease)
    // A long turn is seen while it runs, not only when it gives its lease back.
    const unseen = state.phase === 'access-revoked' || state.phase === 'pending'
    const also = unseen ? {} : { last_seen_at: new Date(now) }
    const persisted = await writeState(trx, lease.deployment, before, state, now, also)
    const { project } = before
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
    return persisted
  })
}
