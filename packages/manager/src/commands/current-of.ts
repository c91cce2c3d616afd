import type { CurrentOf } from '@landfall/engine'
import type { Database } from '../store/database.ts'

/** What a deployment is at, as its runner wrote it or its agent reported it. */
export async function currentOf(db: Database, deployment: string): ReturnType<CurrentOf> {
  const row = await db
    .selectFrom('deployments')
    .select(['state', 'policy'])
    .where('id', '=', deployment)
    .executeTakeFirst()
  return row ? { state: row.state, trustedKeys: row.policy.trustedKeys } : null
}
