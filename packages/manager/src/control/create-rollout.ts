import { startFleet, supersedeFleet } from '@landfall/rollout'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Trx } from '../store/database.ts'
import { newId } from '../store/new-id.ts'
import { findRelease } from '../store/releases/find-release.ts'
import type { StoredPlan } from '../store/tables/releases.ts'
import { defaultPlan, planOf } from './fleet/plan-of.ts'

/**
 * Starts to roll a release out to its channel, within the caller's transaction; answers the rollout's id. The rollouts that are
 * under way in the channel are superseded: what they have in flight is taken over. One that aborts is left to bring its own back,
 * because the new one may reach them late or never. A release that is being rolled out
 * already is not started again: the answer is that rollout. Wake `rollouts` and `changes` after the commit.
 *
 * @param order.release digest or version
 * @param order.plan the channel's where not given
 * @throws LandfallError `E_NOT_FOUND`
 */
export async function createRollout(
  trx: Trx,
  order: { project: string; release: string; plan?: StoredPlan | undefined; by: string; at: number },
): Promise<string> {
  const { project, by } = order
  const at = new Date(order.at)
  const release = await findRelease(trx, project, order.release)
  // The channel's row serialises: two releases published at once supersede one another in one order.
  const channel = await trx
    .selectFrom('channels')
    .select('plan')
    .where('project', '=', project)
    .where('name', '=', release.channel)
    .forUpdate()
    .executeTakeFirst()
  const open = await trx
    .selectFrom('rollouts')
    .selectAll()
    .where('project', '=', project)
    .where('channel', '=', release.channel)
    .where('finished_at', 'is', null)
    .where('phase', '<>', 'aborting')
    .orderBy('id')
    .forUpdate()
    .execute()
  const same = open.find((rollout) => rollout.release === release.digest)
  if (same) return same.id
  for (const rollout of open) {
    const before = rollout.state ?? startFleet({ id: rollout.id, plan: planOf(rollout.plan), now: order.at })
    await trx
      .updateTable('rollouts')
      .set({ state: JSON.stringify(supersedeFleet(before, order.at)), finished_at: at, wake_at: null })
      .where('id', '=', rollout.id)
      .execute()
  }
  const newest = await trx
    .selectFrom('rollouts')
    .select((builder) => builder.fn.max('created_at').as('at'))
    .where('project', '=', project)
    .where('channel', '=', release.channel)
    .executeTakeFirst()
  // Which of two is the newer one decides who may tell a deployment: managers' clocks differ, and step back.
  const createdAt = new Date(Math.max(order.at, (newest?.at?.getTime() ?? 0) + 1))
  const id = newId('rol')
  const plan = order.plan ?? channel?.plan ?? defaultPlan
  // Members have rows of their own.
  const { members: _, ...state } = startFleet({ id, plan: planOf(plan), now: order.at })
  await trx
    .insertInto('rollouts')
    .values({
      id,
      project,
      channel: release.channel,
      release: release.digest,
      version: release.version,
      plan: JSON.stringify(plan),
      state: JSON.stringify(state),
      created_at: createdAt,
      created_by: by,
    })
    .execute()
  const replaced = open.map((rollout) => rollout.id)
  await publishChanges(
    trx,
    [id, ...replaced].map((rollout) => ({ project, kind: 'rollout' as const, id: rollout, at: order.at })),
  )
  await appendAudit(trx, [
    {
      project,
      deployment: null,
      type: 'rollout.created',
      actor: by,
      message: `Started to roll ${release.version} out to ${release.channel}`,
      resource: id,
      data: { rollout: id, release: release.digest, superseded: replaced },
      at: order.at,
    },
  ])
  return id
}
