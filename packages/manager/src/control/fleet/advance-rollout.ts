import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Database, Trx } from '../../store/database.ts'
import { decideLook, type Look, movingMs, returnOrders } from './decide-look.ts'
import { lookUpTargets } from './look-up-targets.ts'
import { type FleetReading, readFleet } from './read-fleet.ts'
import { type CausedOrder, type Rest, tell } from './tell.ts'
import { tellRest } from './tell-rest.ts'
import { writeMembers } from './write-members.ts'

export const defaultOfflineAfterMs = 600_000

/**
 * Deployments told in one transaction. Whoever wants to write a deployment, its chain or the rollout waits for as long as it lasts, and
 * agents that wait get their orders after it: of 10,000 the first has its order after 1.2 s, and after 2.4 s where all are told in one.
 */
const toldAtOnce = 2_500

export interface AdvanceOptions {
  /** Milliseconds; `defaultOfflineAfterMs` where not given. */
  offlineAfterMs?: number | undefined
  /** Called after each commit that told somebody. */
  onTold?: () => void
  /** For tests: `toldAtOnce`. */
  toldAtOnce?: number
}

/**
 * Takes the rollout that is due longest and does one look: read the fleet, decide (`decideLook`), write state and members and tell the
 * deployments, in one transaction under the lock of the rollout's row. So a manager that dies in the middle has done
 * nothing, two managers never move one rollout at once, and no epoch is needed: the lock goes with the connection.
 * Of very many the first (`toldAtOnce`) are told with it, the rest in transactions of their own (`tellRest`): a manager that dies between
 * two of them leaves members in flight that were not told, and the next look tells those. Answers the rollout's id, or null when none
 * was due.
 */
export async function advanceRollout(db: Database, now: number, options: AdvanceOptions = {}): Promise<string | null> {
  const { offlineAfterMs = defaultOfflineAfterMs, toldAtOnce: most = toldAtOnce, onTold } = options
  let taken: string | null = null
  try {
    const looked = await lookOnce(db, { now, offlineAfterMs, most }, (rollout) => {
      taken = rollout
    })
    if (looked?.rest) {
      onTold?.()
      await tellRest(db, looked.rest, { now, most, onTold: onTold ?? (() => {}) })
    }
    return looked?.rollout ?? null
  } catch (error) {
    // One that can't be moved must not keep the others from moving: it is the oldest due at every look.
    if (taken !== null) await postpone(db, taken, now)
    throw error
  }
}

async function postpone(db: Database, rollout: string, now: number): Promise<void> {
  await db
    .updateTable('rollouts')
    .set({ observed_generation: sql`requested_generation`, wake_at: new Date(now + movingMs) })
    .where('id', '=', rollout)
    .execute()
}

async function lookOnce(
  db: Database,
  { now, offlineAfterMs, most }: { now: number; offlineAfterMs: number; most: number },
  onTaken: (rollout: string) => void,
): Promise<{ rollout: string; rest: Rest | null } | null> {
  return db.transaction().execute(async (trx) => {
    // A handler may hold a chain's head and wait for this row; whoever holds the row gives way, and comes again.
    await sql`set local lock_timeout = '800ms'`.execute(trx)
    const rollout = await trx
      .selectFrom('rollouts')
      .selectAll()
      .where('phase', '<>', 'superseded')
      .where(sql<boolean>`(requested_generation > observed_generation or wake_at <= ${new Date(now)})`)
      .orderBy(sql`least(wake_at, case when requested_generation > observed_generation then requested_at end), id`)
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst()
    if (!rollout) return null
    onTaken(rollout.id)
    const reading = await readFleet(trx, rollout, now)
    // What a manager from before schema 0016 wrote into the state is newer than the rows.
    const members = { ...reading.members, ...rollout.state?.members }
    const state = rollout.state && { ...rollout.state, members }
    const look = decideLook({ ...rollout, state }, reading, { now, offlineAfterMs })
    const orders = await ordersOf(trx, rollout, look, reading)
    const rest = orders.slice(most)
    const { members: next, ...core } = look.state
    await trx
      .updateTable('rollouts')
      .set({
        state: JSON.stringify(core),
        finished_at: look.over ? (rollout.finished_at ?? new Date(now)) : null,
        observed_generation: rollout.requested_generation,
        wake_at: wakeAt(look, rest.length > 0, now),
      })
      .where('id', '=', rollout.id)
      .execute()
    await writeMembers(trx, rollout.id, reading, next)
    await tell(trx, { rollout, reading, orders: orders.slice(0, most) }, now)
    await noteDecisions(trx, rollout, look, now)
    return { rollout: rollout.id, rest: rest.length === 0 ? null : { rollout, reading, look, orders: rest } }
  })
}

/** Where some are still to be told, others leave the rollout alone meanwhile. */
function wakeAt(look: Look, more: boolean, now: number): Date | null {
  if (look.wakeAt === null) return more ? new Date(now + movingMs) : null
  return new Date(more ? Math.max(look.wakeAt, now + movingMs) : look.wakeAt)
}

async function ordersOf(trx: Trx, rollout: { id: string }, look: Look, { rows }: FleetReading): Promise<CausedOrder[]> {
  if (look.assign.length + look.back.length === 0) return []
  const seen = new Map(rows.map((row) => [row.id, row.requested_generation]))
  const wanted = look.back.flatMap(({ deployment, to }) => (to === null ? [] : [{ deployment, digest: to }]))
  const known = await lookUpTargets(trx, wanted)
  return [
    ...look.assign.map((order) => ({ ...order, cause: 'rollout' as const })),
    ...returnOrders(rollout, look.back, known).map((order) => ({ ...order, cause: 'return' as const })),
  ].map((order) => ({ ...order, seen: seen.get(order.deployment) }))
}

/** What the machine decided goes to the project's chain; any difference goes to the change feed. */
async function noteDecisions(
  trx: Trx,
  rollout: { id: string; project: string; version: string },
  look: Look,
  now: number,
): Promise<void> {
  await appendAudit(
    trx,
    look.decided.map((decision) => ({
      project: rollout.project,
      deployment: null,
      type: `rollout.${decision.code}`,
      actor: decision.by ?? 'fleet',
      message: `${rollout.version}: ${decision.message}`,
      resource: rollout.id,
      data: { rollout: rollout.id, wave: decision.step },
      at: decision.at,
    })),
  )
  if (look.shown) await publishChanges(trx, [{ project: rollout.project, kind: 'rollout', id: rollout.id, at: now }])
}
