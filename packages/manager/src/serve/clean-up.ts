import { dropAbandonedUploads } from '../store/blobs/blobs.ts'
import type { Database } from '../store/database.ts'

/** Takes away what has had its time: sessions, links, sign-ins, idempotency keys, uploads that were broken off. */
export async function cleanUp(db: Database, now: number): Promise<void> {
  const at = new Date(now)
  await db.deleteFrom('sessions').where('expires_at', '<', at).execute()
  await db.deleteFrom('oidc_logins').where('expires_at', '<', at).execute()
  await db.deleteFrom('invitations').where('expires_at', '<', at).where('user_id', 'is not', null).execute()
  await db.deleteFrom('idempotency_keys').where('expires_at', '<', at).execute()
  await dropAbandonedUploads(db, now)
}
