import { sql } from 'kysely'
import type { Database, Trx } from '../../store/database.ts'
import { type Rest, tell } from './tell.ts'

/**
 * Tells those of a look that its own transaction did not, so many in each transaction, as long as the look still holds: nobody has
 * looked since, no person has said anything, no freeze has begun. What is left then is the next look's, which finds them in flight and
 * not told. When all are told the rollout is due as the look wanted it.
 */
export async function tellRest(
  db: Database,
  rest: Rest,
  { now, most, onTold }: { now: number; most: number; onTold: () => void },
): Promise<void> {
  for (let from = 0; from < rest.orders.length; from += most) {
    const orders = rest.orders.slice(from, from + most)
    const last = from + most >= rest.orders.length
    const told = await db.transaction().execute(async (trx) => {
      await sql`set local lock_timeout = '800ms'`.execute(trx)
      if (!(await stillHolds(trx, rest, now))) return false
      await tell(trx, { ...rest, orders }, now)
      if (last) {
        const wakeAt = rest.look.wakeAt === null ? null : new Date(rest.look.wakeAt)
        await trx.updateTable('rollouts').set({ wake_at: wakeAt }).where('id', '=', rest.rollout.id).execute()
      }
      return true
    })
    if (!told) return
    onTold()
  }
}

async function stillHolds(trx: Trx, { rollout, look, reading }: Rest, now: number): Promise<boolean> {
  const row = await trx
    .selectFrom('rollouts')
    .select('phase')
    .where('id', '=', rollout.id)
    .where('phase', '=', look.state.phase)
    .where(sql<boolean>`state -> 'core' ->> 'lookedAt' = ${String(look.state.core.lookedAt)}`)
    .forUpdate()
    .executeTakeFirst()
  if (!row) return false
  const known = reading.controls.map(({ id }) => id)
  const said = await trx
    .selectFrom('rollout_controls')
    .select('id')
    .where('rollout', '=', rollout.id)
    .where(sql<boolean>`id <> all(${known}::text[])`)
    .limit(1)
    .executeTakeFirst()
  if (said) return false
  if (reading.freeze) return true
  const frozen = await trx
    .selectFrom('freezes')
    .select('id')
    .where('project', '=', rollout.project)
    .where('lifted_at', 'is', null)
    .where(sql<boolean>`(until is null or until > ${new Date(now)})`)
    .limit(1)
    .executeTakeFirst()
  return frozen === undefined
}
