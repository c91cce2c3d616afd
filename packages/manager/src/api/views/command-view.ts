import type { command as commandSchema } from '@landfall/contract'
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import { inputContext, resultContext } from '../../commands/contexts.ts'
import type { Keyring } from '../../secrets/keyring.ts'
import type { CommandsTable } from '../../store/tables/activity.ts'

/** A command with its parts opened. */
export function commandView(
  row: Selectable<CommandsTable>,
  keyring: Keyring,
  output: string,
): z.output<typeof commandSchema> {
  const open = (sealed: Buffer, context: string): unknown => JSON.parse(keyring.open(sealed, context).toString('utf8'))
  return {
    id: row.id,
    deployment: row.deployment,
    worker: row.worker,
    command: row.command,
    via: row.via,
    input: open(row.input, inputContext(row.deployment, row.id)),
    status: row.status,
    attempt: row.attempt,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    deadline: row.deadline.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    result: row.result ? open(row.result, resultContext(row.deployment, row.id)) : null,
    error: row.error,
    output,
  }
}
