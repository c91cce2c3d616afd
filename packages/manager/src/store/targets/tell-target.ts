import type { Target } from '@landfall/engine'
import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Trx } from '../database.ts'

/**
 * Tells a deployment what to run, within the caller's transaction: the target, one more generation, a line of its history, an
 * audit entry and a change. Telling it what it was told last does nothing. Answers whether anything was written; wake
 * `deployments` and `changes` after the commit.
 */
export async function tellTarget(
  trx: Trx,
  order: {
    deployment: string
    project: string
    target: Target
    /** Why, for its history: `release`, `rollback`, `pin`, `config`. */
    cause: string
    /** The fleet rollout that tells it, if one does. */
    rollout?: string
    actor: string
    message: string
    at: number
  },
): Promise<boolean> {
  const { deployment, project, target, cause, actor, message } = order
  const at = new Date(order.at)
  const told = await trx
    .updateTable('deployments')
    .set({
      target: JSON.stringify(target),
      config: target.config,
      requested_generation: sql<number>`requested_generation + 1`,
      ...(order.rollout === undefined ? {} : { rollout: order.rollout }),
    })
    .where('id', '=', deployment)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`target ->> 'digest' is distinct from ${target.digest}`)
    .returning('requested_generation')
    .executeTakeFirst()
  if (!told) return false
  await trx
    .insertInto('targets')
    .values({
      deployment,
      generation: told.requested_generation,
      target: JSON.stringify(target),
      cause,
      told_at: at,
      told_by: actor,
    })
    .execute()
  await publishChanges(trx, [{ project, kind: 'deployment', id: deployment, at: order.at }])
  const data = { target, cause, rollout: order.rollout ?? null }
  await appendAudit(trx, [{ project, deployment, type: 'deployment.told', actor, message, data, at: order.at }])
  return true
}

/** Something else that is asked of a deployment changed: its runner looks again. */
export async function bumpGeneration(trx: Trx, deployment: string): Promise<void> {
  await trx
    .updateTable('deployments')
    .set({ requested_generation: sql<number>`requested_generation + 1` })
    .where('id', '=', deployment)
    .execute()
}
