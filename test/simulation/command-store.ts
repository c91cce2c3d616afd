import {
  type CommandState,
  type CommandStore,
  commandState,
  type DeploymentRef,
  type HeldCommand,
} from '@landfall/engine'
import { keyedId } from '../../packages/manager/src/commands/queue-command.ts'
import type { UpdateEffect } from '../../packages/manager/src/commands/update-effect.ts'
import type { CommandRow, CommandTable } from './command-table.ts'

/** Places around the queues where a deliberate bug can be put in. */
export interface CommandSeams {
  isDue?: (state: CommandState, now: number) => boolean
  /** The epoch that a write is taken to carry. */
  epochOf?: (held: HeldCommand, state: CommandState) => number
  idOf?: (id: string) => string
  /** What a holder is handed. */
  held?: (held: HeldCommand) => HeldCommand
  effect?: (effect: UpdateEffect) => UpdateEffect
  /** A command that is cancelled. */
  cancelled?: (next: CommandState | null, before: CommandState) => CommandState | null
}

export interface QueueOrder {
  deployment: string
  by: string
  key: string
  worker: string
  command: string
  input: unknown
  deadline: number
  at: number
}

/** What `queueCommand` does: the same key makes the same command. Answers its id. */
export function queueCommand(table: CommandTable, order: QueueOrder, seams: CommandSeams = {}): string {
  const { deployment, by, key, worker, command, input, deadline, at } = order
  const known = keyedId(deployment, by, key)
  const id = seams.idOf?.(known) ?? known
  if (table.find(deployment, id)) return id
  const state = commandState.queued(deadline)
  table.put({ deployment, id, worker, command, input, via: 'direct', createdAt: at, state, result: null, output: [] })
  return id
}

/** What `cancelCommand` does. */
export function cancelCommand(
  table: CommandTable,
  of: { deployment: string; id: string; at: number },
  seams: CommandSeams = {},
): boolean {
  const row = table.find(of.deployment, of.id)
  const next = row ? commandState.cancelled(row.state, of.at) : null
  return table.move(row, row && seams.cancelled ? seams.cancelled(next, row.state) : next)
}

/** Of one that a site runs without network nobody knows before its export has come: as in `sweepCommands`. */
const carriedMs = 30 * 86_400_000

/** What `sweepCommands` does; answers how many it ended. */
export function sweepCommands(table: CommandTable, now: number): number {
  const swept = table
    .list()
    .filter((row) => row.via === 'direct' || row.state.deadline <= now - carriedMs)
    .filter((row) => table.move(row, commandState.swept(row.state, now)))
  return swept.length
}

/** The managers' `CommandStore` over the simulated table: what `packages/manager/src/commands` does in SQL. */
export function createCommandStore(
  table: CommandTable,
  /** Null: none of its commands is run by a manager now. */
  runs: (deployment: string) => DeploymentRef | null,
  seams: CommandSeams = {},
): CommandStore {
  const { isDue = commandState.isDue, epochOf = (held) => held.epoch } = seams
  const rowOf = (held: HeldCommand) => table.find(held.deployment.id, held.id)
  const move = (
    held: HeldCommand,
    change: (state: CommandState, epoch: number) => CommandState | null,
    more: Partial<CommandRow> = {},
  ) => {
    const row = rowOf(held)
    return table.move(row, row ? change(row.state, epochOf(held, row.state)) : null, more)
  }
  return {
    async claim(owner, ttlMs, now) {
      const running = (deployment: string) =>
        table.list().filter(({ state, ...row }) => row.deployment === deployment && (state.until ?? 0) > now).length
      const row = table
        .list()
        .filter(({ via, state, deployment }) => via === 'direct' && isDue(state, now) && runs(deployment))
        .sort((a, b) => running(a.deployment) - running(b.deployment))[0]
      const deployment = row && runs(row.deployment)
      if (!row || !deployment) return null
      const { status, attempt, epoch } = row.state
      // As in SQL, whatever `isDue` said.
      const state = commandState.isOver(status)
        ? row.state
        : {
            ...row.state,
            status: 'running' as const,
            attempt: attempt + 1,
            epoch: epoch + 1,
            owner,
            until: now + ttlMs,
          }
      table.put({ ...row, state })
      const { id, worker, command, input } = row
      const { deadline, cancelRequested } = state
      const call = { id, worker, version: null, command, input, attempt: state.attempt, deadline }
      const held = { deployment, ...call, epoch: state.epoch, until: now + ttlMs, cancelRequested }
      return seams.held?.(held) ?? held
    },
    async renew(held, until) {
      const ours = move(held, (state, epoch) => commandState.renewed(state, epoch, until))
      return { ours, cancelled: ours && (rowOf(held)?.state.cancelRequested ?? false) }
    },
    async finish(held, outcome, at) {
      const result = outcome.status === 'succeeded' ? (outcome.result ?? null) : null
      return move(held, (state, epoch) => commandState.finished(state, epoch, outcome, at), { result })
    },
    async postpone(held, until) {
      return move(held, (state, epoch) => commandState.postponed(state, epoch, until))
    },
    async written(held) {
      const output = rowOf(held)?.output ?? []
      const bytes = output.reduce((sum, { chunk }) => sum + Buffer.byteLength(chunk), 0)
      return { next: (output.at(-1)?.number ?? 0) + 1, chunks: output.length, bytes }
    },
    async output(held, { number, chunk }) {
      const row = rowOf(held)
      const ours = row && commandState.renewed(row.state, epochOf(held, row.state), row.state.until ?? 0)
      if (!row || !ours) return false
      table.put({ ...row, output: withPieces(row.output, [{ number, chunk }]) })
      return true
    },
  }
}

/** Pieces of output in order, each number once: the first counts. */
export function withPieces(known: CommandRow['output'], pieces: CommandRow['output']): CommandRow['output'] {
  const fresh = pieces.filter(({ number }) => !known.some((one) => one.number === number))
  return [...known, ...fresh].sort((a, b) => a.number - b.number)
}
