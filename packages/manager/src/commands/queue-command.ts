import { createHash } from 'node:crypto'
import { commandLimits } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Trx } from '../store/database.ts'
import { newId } from '../store/new-id.ts'
import { inputContext } from './contexts.ts'

export interface NewCommand {
  project: string
  deployment: string
  worker: string
  /** Version id it must go to; null: whatever the router serves. */
  version: string | null
  command: string
  input: unknown
  /** Milliseconds since the epoch. */
  deadline: number
  by: string
  /** The same key makes the same command: a second call with it finds the first. */
  idempotencyKey: string | null
  at: number
}

/**
 * Queues a command whose input was checked, within the caller's transaction; answers its id. Wake `commands` and `changes` after
 * the commit. @throws LandfallError `E_COMMAND_INPUT` when the input is too large
 */
export async function queueCommand(trx: Trx, keyring: Keyring, order: NewCommand): Promise<string> {
  const { project, deployment, worker, version, command, by } = order
  const id = order.idempotencyKey === null ? newId('cmd') : keyedId(deployment, by, order.idempotencyKey)
  const { maxInputBytes } = commandLimits
  const input = JSON.stringify(order.input ?? null)
  if (Buffer.byteLength(input) > maxInputBytes) {
    throw new LandfallError({
      code: 'E_COMMAND_INPUT',
      message: `The input is larger than ${maxInputBytes} bytes.`,
      hint: 'Put large content into a storage and send its name.',
    })
  }
  const made = await trx
    .insertInto('commands')
    .values({
      deployment,
      id,
      project,
      worker,
      version,
      command,
      input: keyring.seal(input, inputContext(deployment, id)),
      created_at: new Date(order.at),
      created_by: by,
      deadline: new Date(order.deadline),
    })
    .onConflict((conflict) => conflict.columns(['deployment', 'id']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!made) return id
  await publishChanges(trx, [{ project, kind: 'command', id, at: order.at }])
  await appendAudit(trx, [
    {
      project,
      deployment,
      type: 'command.queued',
      actor: by,
      message: `Sent command ${command} to ${worker}`,
      resource: worker,
      // Never the input: it belongs to the customer, and may be secret.
      data: { command: id, name: command, deadline: new Date(order.deadline).toISOString() },
      at: order.at,
    },
  ])
  return id
}

/** Id of a command that was asked under a key: in the form of an id of ours, from 100 bits of a hash. */
export function keyedId(deployment: string, by: string, key: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(['command', deployment, by, key]))
    .digest('hex')
  return `cmd_${hash.slice(0, 25)}`
}
