import type { Clock, Log } from '@landfall/engine'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import { advanceRollout } from './fleet/advance-rollout.ts'
import { wakeLate } from './fleet/wake-late.ts'
import { type Loop, startLoop } from './loop.ts'
import type { Waker } from './waker.ts'

/** Has one rollout look again: a deployment that it told has moved. */
export async function nudgeRollout(db: Database, rollout: string): Promise<void> {
  await db
    .updateTable('rollouts')
    .set({ requested_generation: sql`requested_generation + 1` })
    .where('id', '=', rollout)
    .where(sql<boolean>`requested_generation = observed_generation`)
    .execute()
}

/** Moves rollouts, and finds deployments that a finished one has to bring along. */
export function startFleetLoops(deps: {
  db: Database
  clock: Clock
  log: Log
  waker: Waker
  offlineAfterMs?: number | undefined
}): Loop[] {
  const { db, clock, log, waker } = deps
  const advance = startLoop({
    name: 'rollouts',
    intervalMs: 1_000,
    clock,
    log,
    work: async () => {
      const onTold = () => waker.wake('deployments', 'changes')
      const advanced = await advanceRollout(db, clock.now(), { offlineAfterMs: deps.offlineAfterMs, onTold })
      if (advanced !== null) waker.wake('deployments', 'changes')
      return advanced !== null
    },
  })
  const late = startLoop({
    name: 'late-joiners',
    intervalMs: 2_000,
    clock,
    log,
    work: async () => {
      if ((await wakeLate(db, clock.now(), deps.offlineAfterMs)) > 0) advance.wake()
      return false
    },
  })
  return [advance, late]
}
