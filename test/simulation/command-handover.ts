import type { CommandOrder, CommandUpdate } from '@landfall/contract'
import { type CommandState, commandState } from '@landfall/engine'
import { openSealed } from '@landfall/release'
import { agentLeaseMs } from '../../packages/manager/src/commands/accept-update.ts'
import { firstLeaseMs } from '../../packages/manager/src/commands/agent-handover.ts'
import { effectOf } from '../../packages/manager/src/commands/update-effect.ts'
import { replyKey } from './command-keys.ts'
import { type CommandSeams, withPieces } from './command-store.ts'
import type { CommandRow, CommandTable } from './command-table.ts'

const mayGo = ({ state, via }: CommandRow, now: number) =>
  commandState.isDue(state, now) && via === 'direct' && !state.cancelRequested

/** What the handover's `waiting` says of one deployment. */
export function waitingCommands(table: CommandTable, deployment: string, granted: boolean, now: number) {
  const own = table.list().filter((row) => row.deployment === deployment && row.via === 'direct')
  const open = own.filter(({ state }) => !commandState.isOver(state.status))
  return {
    queued: granted ? open.filter((row) => mayGo(row, now)).length : 0,
    cancel: open.filter(({ state }) => state.cancelRequested && state.owner !== null).map(({ id }) => id),
  }
}

/** What `takeCommands` does: leases at most `room` of them to an agent's session. */
export function takeCommands(
  table: CommandTable,
  of: { deployment: string; room: number; granted: boolean; at: number },
): CommandOrder[] {
  const { deployment, room, granted, at } = of
  const due = table.list().filter((row) => row.deployment === deployment && mayGo(row, at))
  return (granted ? due.slice(0, room) : []).map((row) => {
    const state = commandState.claimed(row.state, 'agent:1', firstLeaseMs, at) ?? row.state
    table.put({ ...row, state })
    const { id, worker, command, input } = row
    return { id, worker, version: null, command, input, attempt: state.attempt, deadline: state.deadline }
  })
}

/** What `acceptUpdate` does: its own decision, over the simulated table. */
export function acceptUpdate(
  table: CommandTable,
  given: { deployment: string; update: CommandUpdate; at: number },
  seams: CommandSeams = {},
): void {
  const { deployment, update, at } = given
  const row = table.find(deployment, update.id) ?? made(given)
  if (!row) return
  const real = effectOf({ status: row.state.status, attempt: row.state.attempt }, update)
  const { output, does } = seams.effect?.(real) ?? real
  const pieces = output ? update.output.map((piece) => ({ number: piece.number, chunk: opened(given, piece) })) : []
  const next = { ...row, output: withPieces(row.output, pieces) }
  const { attempt } = update
  if (does === 'goes-on') {
    const owner = row.state.owner ?? 'agent'
    table.put({ ...next, state: { ...row.state, status: 'running', attempt, owner, until: at + agentLeaseMs } })
  } else if (does === 'ends') {
    const state = over({ ...row.state, attempt }, update, at)
    const sealed = update.result
    const context = `result:${deployment}:${update.id}`
    const result: unknown =
      sealed === null ? null : JSON.parse(openSealed(replyKey.privateKey, sealed, context).toString('utf8'))
    table.put({ ...next, state, result })
  } else if (pieces.length > 0) table.put(next)
}

function over(state: CommandState, update: CommandUpdate, at: number): CommandState {
  const { status } = update
  if (status === 'running' || status === 'postponed') throw new RangeError('it is not over')
  const finishedAt = Math.min(update.finishedAt ?? at, at)
  return { ...state, status, error: update.error, owner: null, until: null, finishedAt }
}

/** One that the agent had from elsewhere. */
function made({ deployment, update }: { deployment: string; update: CommandUpdate }): CommandRow | null {
  const { origin, id } = update
  if (!origin) return null
  const { worker, command, issuedAt, deadline } = origin
  const state = commandState.queued(deadline)
  const row = { deployment, id, worker, command, input: null, via: 'agent' as const, createdAt: issuedAt, state }
  return { ...row, result: null, output: [] }
}

const opened = (of: { deployment: string; update: CommandUpdate }, piece: CommandUpdate['output'][number]) =>
  openSealed(replyKey.privateKey, piece.chunk, `output:${of.deployment}:${of.update.id}:${piece.number}`).toString()
