import type { Trx } from '../../store/database.ts'
import type { Look } from './decide-look.ts'
import type { StoredReading } from './read-fleet.ts'
import { storeTold } from './store-told.ts'
import { type Order, tellMany } from './tell-many.ts'

/** An order of a look: `rollout` to its release, `return` to its own stable. */
export type CausedOrder = Order & { cause: 'rollout' | 'return' }

/** What a look left to be told in transactions of their own. */
export interface Rest {
  rollout: { id: string; project: string; release: string }
  reading: StoredReading
  look: Look
  orders: readonly CausedOrder[]
}

/** Tells deployments what a look decided for them, with their configs. */
export async function tell(
  trx: Trx,
  { rollout, reading, orders }: Pick<Rest, 'rollout' | 'reading' | 'orders'>,
  now: number,
): Promise<void> {
  for (const cause of ['rollout', 'return'] as const) {
    const ours = orders.filter((order) => order.cause === cause)
    const told = await tellMany(trx, rollout, cause, ours, now)
    if (cause === 'rollout') await storeTold(trx, rollout, reading, told, now)
  }
}
