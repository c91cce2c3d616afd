import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database, Trx } from '../store/database.ts'

/**
 * For tests of what keeps two managers apart: `first` has written and not committed yet when `late` begins. The commit comes once `late`
 * waits for a lock, or is over without having waited; so the order is the same in every run. Answers what `late` does.
 */
export async function overtaken<T>(
  db: Database,
  first: (trx: Trx) => Promise<unknown>,
  late: () => Promise<T>,
): Promise<T> {
  return (await startedWithin(db, first, late)).late
}

// A promise that is answered by an async function is waited for: it is wrapped.
function startedWithin<T>(db: Database, first: (trx: Trx) => Promise<unknown>, late: () => Promise<T>) {
  return db.transaction().execute(async (trx) => {
    await first(trx)
    const running = late()
    let over = false
    const end = () => {
      over = true
    }
    running.then(end, end)
    while (!over && !(await isWaited(db))) await sleep(10)
    return { late: running }
  })
}

/** Whether anybody in this database waits for a lock that another holds. */
async function isWaited(db: Database): Promise<boolean> {
  const { rows } = await sql<{ waits: boolean }>`select exists (
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waits`.execute(db)
  return rows[0]?.waits === true
}
