import type { Lease } from '@landfall/engine'
import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import { staleEpoch } from './stale.ts'

/**
 * Gives the lease up. A generation that was requested meanwhile stays ahead of the observed one, so the deployment is due again
 * at once: no wake-up is lost. A session that ended with access to the environment counts as having seen it.
 * @throws LandfallError `E_STALE_EPOCH`
 */
export async function release(
  db: Database,
  lease: Lease,
  outcome: { observed: number; wakeAt: number | null },
  now: number,
): Promise<void> {
  const seen = sql<Date>`case when phase in ('access-revoked', 'pending') then last_seen_at else ${new Date(now)} end`
  const result = await db
    .updateTable('deployments')
    .set({
      observed_generation: sql`greatest(observed_generation, ${outcome.observed})`,
      wake_at: outcome.wakeAt === null ? null : new Date(outcome.wakeAt),
      lease_owner: null,
      lease_until: null,
      last_seen_at: seen,
    })
    .where('id', '=', lease.deployment)
    .where('lease_epoch', '=', lease.epoch)
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw staleEpoch(lease)
}
