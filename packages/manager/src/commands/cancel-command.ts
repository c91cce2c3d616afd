import { commandState } from '@landfall/engine'
import { sql } from 'kysely'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Trx } from '../store/database.ts'

/**
 * Asks to cancel: one that nobody runs ends at once, a running one is told when its lease is renewed; one that is over stays as it
 * is. What a worker did already is not undone. Wake `commands` and `changes` after the commit.
 */
export async function cancelCommand(
  trx: Trx,
  command: { project: string; deployment: string; id: string; by: string; at: number },
): Promise<void> {
  const at = new Date(command.at)
  const idle = sql<boolean>`(status = 'queued' or lease_owner is null or lease_until is null or lease_until <= ${at})`
  const row = await trx
    .updateTable('commands')
    .set({
      cancel_requested_at: sql`coalesce(cancel_requested_at, ${at})`,
      status: sql`case when ${idle} then 'cancelled' else status end`,
      finished_at: sql`case when ${idle} then ${at}::timestamptz else finished_at end`,
      error: sql`case when ${idle} then ${JSON.stringify(commandState.cancelledError)}::jsonb else error end`,
      lease_epoch: sql`lease_epoch + case when ${idle} then 1 else 0 end`,
      lease_owner: sql`case when ${idle} then null else lease_owner end`,
    })
    .where('project', '=', command.project)
    .where('deployment', '=', command.deployment)
    .where('id', '=', command.id)
    .where('status', 'in', ['queued', 'running'])
    .returning(['command', 'worker', 'status'])
    .executeTakeFirst()
  if (!row) return
  const { project, deployment, id, by } = command
  await publishChanges(trx, [{ project, kind: 'command', id, at: command.at }])
  await appendAudit(trx, [
    {
      project,
      deployment,
      type: row.status === 'cancelled' ? 'command.cancelled' : 'command.cancel-requested',
      actor: by,
      message: `Cancelled command ${row.command}`,
      resource: row.worker,
      data: { command: id },
      at: command.at,
    },
  ])
}
