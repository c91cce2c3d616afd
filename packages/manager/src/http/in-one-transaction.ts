import { sql } from 'kysely'
import type { Database, Trx } from '../store/database.ts'
import type { Services } from './services.ts'

/**
 * Runs a call whose every write is committed at once, or not at all: its `db` is the transaction, a transaction that it opens is a
 * savepoint in it, and what it wakes or leaves for after the commit comes then.
 */
export async function inOneTransaction<T>(
  services: Services,
  run: (joined: Services, trx: Trx) => Promise<T>,
): Promise<T> {
  const after: (() => unknown)[] = []
  const value = await services.db.transaction().execute((trx) => {
    const waker: Services['waker'] = { wake: (...about) => void after.push(() => services.waker.wake(...about)) }
    const afterCommit: Services['afterCommit'] = async (work) => void after.push(() => services.afterCommit(work))
    return run({ ...services, db: joined(trx), waker, afterCommit }, trx)
  })
  for (const work of after) await work()
  return value
}

/** The transaction as a database. One inner transaction at a time: they share a connection. */
function joined(trx: Trx): Database {
  const inner = async <T>(work: (trx: Trx) => Promise<T>): Promise<T> => {
    await sql`savepoint call`.execute(trx)
    try {
      const value = await work(trx)
      await sql`release savepoint call`.execute(trx)
      return value
    } catch (error) {
      // What the caller makes of it is its own business: the statements before it stay possible.
      await sql`rollback to savepoint call`.execute(trx)
      throw error
    }
  }
  return new Proxy(trx as Database, {
    get: (target, name) => {
      if (name === 'transaction') return () => ({ execute: inner })
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
