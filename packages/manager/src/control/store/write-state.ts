import type { DeploymentState } from '@landfall/engine'
import { sql, type UpdateObject } from 'kysely'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Schema, Trx } from '../../store/database.ts'

/** What a written state means to others. */
export interface Persisted {
  /** The fleet rollout that told the deployment its target, where its phase or generation moved: that rollout looks again. */
  nudge: string | null
}

/** What is read, under the row's lock, before a state is written over it. */
export const beforeColumns = [
  'deployments.project',
  'deployments.rollout',
  'deployments.phase',
  'deployments.state_generation',
] as const
export interface Before {
  project: string
  rollout: string | null
  phase: string
  state_generation: number | null
}

/**
 * Writes what an engine came to, wherever it runs, and a change for the pages. A state `deleted` ends the deployment's row for every
 * list. The caller holds the row's lock.
 *
 * @param also other columns of the row
 */
export async function writeState(
  trx: Trx,
  deployment: string,
  before: Before,
  state: DeploymentState | null,
  at: number,
  also: UpdateObject<Schema, 'deployments'> = {},
): Promise<Persisted> {
  await trx
    .updateTable('deployments')
    .set({
      ...also,
      state: state === null ? null : JSON.stringify(state),
      ...(state?.phase === 'deleted' ? { deleted_at: sql<Date>`coalesce(deleted_at, ${new Date(at)})` } : {}),
    })
    .where('id', '=', deployment)
    .execute()
  await publishChanges(trx, [{ project: before.project, kind: 'deployment', id: deployment, at }])
  const moved = before.phase !== (state?.phase ?? 'pending') || before.state_generation !== (state?.generation ?? null)
  return { nudge: moved ? before.rollout : null }
}
