import type { CommandOutcome, HeldCommand } from '@landfall/engine'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { resultContext } from './contexts.ts'
import { endCommand } from './end-command.ts'

/** Ends a command, if its lease is still ours; the result is sealed. Answers whether it was written: another attempt may run. */
export async function finishCommand(
  db: Database,
  keyring: Keyring,
  held: HeldCommand,
  outcome: CommandOutcome,
  at: number,
): Promise<boolean> {
  const deployment = held.deployment.id
  const result =
    outcome.status === 'succeeded'
      ? keyring.seal(JSON.stringify(outcome.result ?? null), resultContext(deployment, held.id))
      : null
  return db.transaction().execute(async (trx) => {
    const ours = await trx
      .selectFrom('commands')
      .select('project')
      .where('deployment', '=', deployment)
      .where('id', '=', held.id)
      .where('lease_epoch', '=', held.epoch)
      .where('lease_owner', 'is not', null)
      .where('status', '=', 'running')
      .forUpdate()
      .executeTakeFirst()
    if (!ours) return false
    await endCommand(trx, { ...held, project: ours.project, deployment }, outcome, result, at)
    return true
  })
}
