import { advanceFleet, type Decision, type FleetAction, type FleetState, startFleet } from '@landfall/rollout'
import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Database, Trx } from '../../store/database.ts'
import { lookUpTargets } from './look-up-targets.ts'
import { observeFleet, type SeenFleet } from './observe-fleet.ts'
import { planOf } from './plan-of.ts'
import { type Order, tellMany } from './tell-many.ts'

/** The longest time between two looks at a rollout that moves, and at one that is over but still has somebody to bring along. */
const movingMs = 5_000
const lingeringMs = 15_000
export const defaultOfflineAfterMs = 600_000

const finished = ['complete', 'aborted', 'superseded']

/**
 * Takes the rollout that is due longest and does one look: observe the fleet, let the machine decide, write its state and tell
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
    const plan = planOf(rollout.plan)
    const before = rollout.state ?? startFleet({ id: rollout.id, plan, now })
    const seen = await observeFleet(trx, rollout, now, offlineAfterMs)
    const { state, actions } = advanceFleet(plan, before, seen.observation, now)
    const over = finished.includes(state.phase)
    await trx
      .updateTable('rollouts')
      .set({
        state: JSON.stringify(state),
        finished_at: over ? (rollout.finished_at ?? new Date(now)) : null,
        observed_generation: rollout.requested_generation,
        wake_at: wakeAt(before, state, actions, now),
      })
      .where('id', '=', rollout.id)
      .execute()
    await carryOut(trx, rollout, seen, actions, now)
    await noteDecisions(trx, rollout, before, state, now)
    return rollout.id
  })
}

/** When to look again at the latest; null: only when somebody asks. */
function wakeAt(before: FleetState, state: FleetState, actions: readonly FleetAction[], now: number): Date | null {
  const asked = actions.flatMap((action) => (action.kind === 'wake' ? [action.at] : []))
  const pending = Object.values(state.members).some((member) =>
    ['in-flight', 'waiting', 'returning'].includes(member.status),
  )
  // The machine takes one decision a look: after one, the next may be due already.
  if (moved(before, state)) asked.push(now)
  if (!finished.includes(state.phase)) asked.push(now + movingMs)
  else if (pending) asked.push(now + lingeringMs)
  return asked.length === 0 ? null : new Date(Math.max(now + 50, Math.min(...asked)))
}

function moved(before: FleetState, after: FleetState): boolean {
  const of = ({ phase, core }: FleetState) => [phase, core.phase, core.step, core.reachedAt, core.healthySince].join()
  return of(before) !== of(after)
}

async function carryOut(
  trx: Trx,
  rollout: { id: string; project: string; version: string; plan: { waves: readonly { name: string }[] } },
  seen: SeenFleet,
  actions: readonly FleetAction[],
  now: number,
): Promise<void> {
  const assign: Order[] = []
  const back: { deployment: string; digest: string }[] = []
  const backToNothing: Order[] = []
  for (const action of actions) {
    if (action.kind === 'assign') {
      const target = seen.targets.get(action.deployment)
      if (target?.digest !== action.target) continue
      const wave = rollout.plan.waves[action.wave]?.name ?? 'the rest'
      const message = `Told to run ${rollout.version} by rollout ${rollout.id}, wave ${action.wave + 1} (${wave})`
      assign.push({ deployment: action.deployment, target, message, retry: seen.rejected.has(action.deployment) })
    } else if (action.kind === 'return' && action.to !== null) {
      back.push({ deployment: action.deployment, digest: action.to })
    } else if (action.kind === 'return') {
      const message = `Rollout ${rollout.id} was aborted; it ran nothing before`
      backToNothing.push({ deployment: action.deployment, target: null, message, retry: false })
    }
  }
  const known = await lookUpTargets(trx, back)
  const returns = back.flatMap(({ deployment, digest }): Order[] => {
    const target = known.get(`${deployment} ${digest}`)
    const message = `Sent back to its own stable: rollout ${rollout.id} was aborted`
    return target ? [{ deployment, target, message, retry: false }] : []
  })
  await tellMany(trx, rollout, 'rollout', assign, now)
  await tellMany(trx, rollout, 'return', [...returns, ...backToNothing], now)
}

/** What the machine decided goes to the project's chain; any difference goes to the change feed. */
async function noteDecisions(
  trx: Trx,
  rollout: { id: string; project: string; version: string },
  before: FleetState,
  after: FleetState,
  now: number,
): Promise<void> {
  const keyOf = (decision: Decision) => `${decision.at} ${decision.code} ${decision.step} ${decision.message}`
  const known = new Set(before.decisions.map(keyOf))
  const decided = after.decisions.filter((decision) => !known.has(keyOf(decision)))
  await appendAudit(
    trx,
    decided.map((decision) => ({
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
  if (decided.length > 0 || shown(before) !== shown(after)) {
    await publishChanges(trx, [{ project: rollout.project, kind: 'rollout', id: rollout.id, at: now }])
  }
}

/** As much of a state as a page shows: who stands where, and why. */
function shown(state: FleetState): string {
  const members = Object.values(state.members).map(({ id, wave, status }) => `${id} ${wave} ${status}`)
  return [state.phase, state.wave, state.reason.code, state.reason.message, ...members].join('\n')
}
