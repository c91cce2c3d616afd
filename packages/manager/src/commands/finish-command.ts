import type { commandStatus } from '@landfall/contract'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { ClaimedCommand } from './claim-command.ts'
import { resultContext } from './contexts.ts'

export type Outcome =
  | { status: 'succeeded'; result: unknown }
  | { status: 'failed' | 'expired' | 'cancelled'; error: { code: string; message: string } }

/** Ends a command, if its lease is still ours; the result is sealed. Answers whether it was written: another attempt may run. */
export async function finishCommand(
  db: Database,
  keyring: Keyring,
  held: ClaimedCommand,
  outcome: Outcome,
  at: number,
): Promise<boolean> {
  const deployment = held.deployment.id
  const result =
    outcome.status === 'succeeded'
      ? keyring.seal(JSON.stringify(outcome.result ?? null), resultContext(deployment, held.id))
      : null
  return db.transaction().execute(async (trx) => {
    const written = await trx
      .updateTable('commands')
      .set({
        status: outcome.status,
        result,
        error: outcome.status === 'succeeded' ? null : JSON.stringify(outcome.error),
        finished_at: new Date(at),
        lease_owner: null,
        lease_until: null,
      })
      .where('deployment', '=', deployment)
      .where('id', '=', held.id)
      .where('lease_epoch', '=', held.epoch)
      .where('status', '=', 'running')
      .returning('project')
      .executeTakeFirst()
    if (!written) return false
    await publishChanges(trx, [{ project: written.project, kind: 'command', id: held.id, at }])
    await appendAudit(trx, [commandEntry(written.project, { ...held, deployment }, outcome, at)])
    return true
  })
}

const words: Record<Exclude<(typeof commandStatus)[number], 'queued' | 'running'>, string> = {
  succeeded: 'succeeded',
  failed: 'failed',
  expired: 'was not done by its deadline',
  cancelled: 'was cancelled',
}

/** The entry of a command that came to its end. */
export function commandEntry(
  project: string,
  command: { deployment: string; id: string; worker: string; command: string; attempt: number },
  outcome: { status: keyof typeof words; error?: { code: string } },
  at: number,
) {
  return {
    project,
    deployment: command.deployment,
    type: `command.${outcome.status}`,
    actor: 'commands',
    code: outcome.error?.code ?? null,
    message: `Command ${command.command} ${words[outcome.status]}`,
    resource: command.worker,
    data: { command: command.id, attempt: command.attempt },
    at,
  }
}

/** Gives a command back for a later attempt. */
export async function postponeCommand(db: Database, held: ClaimedCommand, until: number): Promise<void> {
  await db
    .updateTable('commands')
    .set({ lease_owner: null, lease_until: new Date(until) })
    .where('deployment', '=', held.deployment.id)
    .where('id', '=', held.id)
    .where('lease_epoch', '=', held.epoch)
    .where('status', '=', 'running')
    .execute()
}
