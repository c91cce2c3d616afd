import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Database, Trx } from '../../store/database.ts'
import { storeConfigs } from '../../store/targets/prepare-targets.ts'
import { decideLook, type Look, movingMs, returnOrders } from './decide-look.ts'
import { lookUpTargets } from './look-up-targets.ts'
import { readFleet } from './read-fleet.ts'
import { tellMany } from './tell-many.ts'

export const defaultOfflineAfterMs = 600_000

/**
 * Takes the rollout that is due longest and does one look: read the fleet, decide (`decideLook`), write the state and tell
 * the deployments, all in one transaction under the lock of the rollout's row. So a manager that dies in the middle has done
 * nothing, two managers never move one rollout at once, and no epoch is needed: the lock goes with the connection.
 * Answers the rollout's id, or null when none was due.
 */
export async function advanceRollout(
  db: Database,
  now: number,
  offlineAfterMs = defaultOfflineAfterMs,
): Promise<string | null> {
  let taken: string | null = null
  try {
    return await lookOnce(db, { now, offlineAfterMs }, (rollout) => {
      taken = rollout
    })
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
  { now, offlineAfterMs }: { now: number; offlineAfterMs: number },
  onTaken: (rollout: string) => void,
): Promise<string | null> {
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
    const look = decideLook(rollout, reading, { now, offlineAfterMs })
    await trx
      .updateTable('rollouts')
      .set({
        state: JSON.stringify(look.state),
        finished_at: look.over ? (rollout.finished_at ?? new Date(now)) : null,
        observed_generation: rollout.requested_generation,
        wake_at: look.wakeAt === null ? null : new Date(look.wakeAt),
      })
      .where('id', '=', rollout.id)
      .execute()
    const told = look.assign.map(({ deployment }) => deployment)
    await storeConfigs(trx, reading, told, now, 'fleet')
    await tell(trx, rollout, look, now)
    await noteDecisions(trx, rollout, look, now)
    return rollout.id
  })
}

async function tell(trx: Trx, rollout: { id: string; project: string }, look: Look, now: number): Promise<void> {
  const wanted = look.back.flatMap(({ deployment, to }) => (to === null ? [] : [{ deployment, digest: to }]))
  const known = await lookUpTargets(trx, wanted)
  await tellMany(trx, rollout, 'rollout', look.assign, now)
  await tellMany(trx, rollout, 'return', returnOrders(rollout, look.back, known), now)
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
