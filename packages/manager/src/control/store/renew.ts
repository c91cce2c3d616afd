import type { Lease } from '@landfall/engine'
import type { Database } from '../../store/database.ts'
import { staleEpoch } from './stale.ts'

/** Moves the lease's end. @throws LandfallError `E_STALE_EPOCH` */
export async function renew(db: Database, lease: Lease, now: number, ttlMs: number): Promise<Lease> {
  const expiresAt = now + ttlMs
  const result = await db
    .updateTable('deployments')
    .set({ lease_until: new Date(expiresAt) })
    .where('id', '=', lease.deployment)
    .where('lease_epoch', '=', lease.epoch)
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw staleEpoch(lease)
  return { ...lease, expiresAt }
}
