import type { Database } from '../store/database.ts'

/** Moves the lease's end. Answers whether it was still ours, and whether somebody asked to cancel. */
export async function renewCommand(
  db: Database,
  held: { deployment: { id: string }; id: string; epoch: number },
  until: number,
): Promise<{ ours: boolean; cancelled: boolean }> {
  const row = await db
    .updateTable('commands')
    .set({ lease_until: new Date(until) })
    .where('deployment', '=', held.deployment.id)
    .where('id', '=', held.id)
    .where('lease_epoch', '=', held.epoch)
    .where('status', '=', 'running')
    .returning('cancel_requested_at')
    .executeTakeFirst()
  return { ours: row !== undefined, cancelled: row?.cancel_requested_at != null }
}
