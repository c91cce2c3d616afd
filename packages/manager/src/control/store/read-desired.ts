import type { Desired, Lease } from '@landfall/engine'
import type { Database } from '../../store/database.ts'
import { desiredColumns, desiredOf } from './desired-row.ts'
import { staleEpoch } from './stale.ts'

/** What is asked of the deployment now. @throws LandfallError `E_STALE_EPOCH` when the lease was lost. */
export async function readDesired(db: Database, lease: Lease): Promise<Desired> {
  const row = await db
    .selectFrom('deployments')
    .select((builder) => [...desiredColumns(builder)])
    .where('id', '=', lease.deployment)
    .where('lease_epoch', '=', lease.epoch)
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst()
  if (!row) throw staleEpoch(lease)
  return desiredOf(row)
}
