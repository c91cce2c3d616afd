import type { HeldCommand } from '@landfall/engine'
import type { Database } from '../store/database.ts'

const ours = (db: Database, held: HeldCommand) =>
  db
    .updateTable('commands')
    .where('deployment', '=', held.deployment.id)
    .where('id', '=', held.id)
    .where('lease_epoch', '=', held.epoch)
    .where('lease_owner', 'is not', null)
    .where('status', '=', 'running')

/** Moves the lease's end. Answers whether it was still ours, and whether somebody asked to cancel. */
export async function renewCommand(
  db: Database,
  held: HeldCommand,
  until: number,
): Promise<{ ours: boolean; cancelled: boolean }> {
  const row = await ours(db, held)
    .set({ lease_until: new Date(until) })
    .returning('cancel_requested_at')
    .executeTakeFirst()
  return { ours: row !== undefined, cancelled: row?.cancel_requested_at != null }
}

/** Gives a command back for a later attempt. Answers whether it was still ours. */
export async function postponeCommand(db: Database, held: HeldCommand, until: number): Promise<boolean> {
  const row = await ours(db, held)
    .set({ lease_owner: null, lease_until: new Date(until) })
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
