import { sql } from 'kysely'
import { newSecret } from '../auth/token.ts'
import type { Database } from '../store/database.ts'

const lastsMs = 24 * 3_600_000

/**
 * The one-time link that makes the first account, as long as there is none; null afterwards. Each start makes a new one and
 * ends the one before, so that a link from an old log opens nothing.
 */
export async function bootstrapLink(db: Database, publicUrl: string, now: number): Promise<string | null> {
  return db.transaction().execute(async (trx) => {
    // Several managers may start at once: the last one's link is the one that opens.
    await sql`select pg_advisory_xact_lock(hashtext('landfall bootstrap link'))`.execute(trx)
    // First the link, which waits for whoever is using it; then whether there is an account, which that one may just have made.
    await trx.deleteFrom('invitations').where('user_id', 'is', null).where('used_at', 'is', null).execute()
    const anyone = await trx.selectFrom('users').select('id').limit(1).executeTakeFirst()
    if (anyone) return null
    const { secret, hash } = newSecret()
    const created_at = new Date(now)
    const expires_at = new Date(now + lastsMs)
    await trx.insertInto('invitations').values({ hash, user_id: null, created_at, expires_at }).execute()
    return `${publicUrl}/bootstrap?token=${secret}`
  })
}
