import { sql } from 'kysely'
import type { Database, Trx } from '../../store/database.ts'
import { type Rest, tell } from './tell.ts'

/** Two at once: while one's rows are written the other's audit links are hashed. */
const lanes = 2

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
  const slices: Rest[] = []
  for (let from = 0; from < rest.orders.length; from += most)
    slices.push({ ...rest, orders: rest.orders.slice(from, from + most) })
  const next = slices.values()
  let holds = true
  const lane = async () => {
    for (const slice of next) {
      if (holds && !(await tellSlice(db, slice, now))) holds = false
      if (!holds) return
      onTold()
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  if (!holds) return
  const { wakeAt } = rest.look
  await db
    .updateTable('rollouts')
    .set({ wake_at: wakeAt === null ? null : new Date(wakeAt) })
    .where('id', '=', rest.rollout.id)
    .where(looked(rest))
    .execute()
}

async function tellSlice(db: Database, slice: Rest, now: number): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '800ms'`.execute(trx)
    if (!(await stillHolds(trx, slice, now))) return false
    await tell(trx, slice, now)
    return true
  })
}

/** The row is as the look left it: whoever looks, or takes its place, writes another state. */
const looked = ({ look }: Rest) =>
  sql<boolean>`phase = ${look.state.phase} and state -> 'core' ->> 'lookedAt' = ${String(look.state.core.lookedAt)}`

async function stillHolds(trx: Trx, rest: Rest, now: number): Promise<boolean> {
  const { rollout, reading } = rest
  const row = await trx
    .selectFrom('rollouts')
    .select('id')
    .where('id', '=', rollout.id)
    .where(looked(rest))
    // Shared by the lanes; a look, and a rollout that takes its place, wait for them.
    .forShare()
    .executeTakeFirst()
  if (!row) return false
  const known = reading.controls.map(({ id }) => id)
  const { rows } = await sql`
    select from rollout_controls where rollout = ${rollout.id} and id <> all(${known}::text[])
    union all
    select from freezes where ${reading.freeze === null} and project = ${rollout.project} and lifted_at is null
      and (until is null or until > ${new Date(now)})
    limit 1`.execute(trx)
  return rows.length === 0
}
