import type { CommandEnd } from '@landfall/engine'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Trx } from '../store/database.ts'

const words: Record<CommandEnd, string> = {
  succeeded: 'succeeded',
  failed: 'failed',
  expired: 'was not done by its deadline',
  cancelled: 'was cancelled',
}

interface Ending {
  project: string
  deployment: string
  id: string
  worker: string
  command: string
  attempt: number
}

/** Writes a command's end, its entry and the change. Whose it is to end was checked under its row's lock by the caller. */
export async function endCommand(
  trx: Trx,
  command: Ending,
  outcome: { status: CommandEnd; error?: { code: string; message: string } },
  result: Buffer | null,
  at: number,
  options: { audit: boolean } = { audit: true },
): Promise<void> {
  await trx
    .updateTable('commands')
    .set({
      status: outcome.status,
      result,
      attempt: command.attempt,
      error: outcome.error ? JSON.stringify(outcome.error) : null,
      finished_at: new Date(at),
      lease_owner: null,
      lease_until: null,
    })
    .where('deployment', '=', command.deployment)
    .where('id', '=', command.id)
    .execute()
  await publishChanges(trx, [{ project: command.project, kind: 'command', id: command.id, at }])
  if (options.audit) await appendAudit(trx, [commandEntry(command.project, command, outcome, at)])
}

/** The entry of a command that came to its end. */
export function commandEntry(
  project: string,
  command: Omit<Ending, 'project'>,
  outcome: { status: CommandEnd; error?: { code: string } },
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
