import type { CommandOrder, CommandUpdate } from '@landfall/contract'
import { type CommandState, commandState } from '@landfall/engine'

/** A command as the agent remembers it. */
export interface CommandRecord {
  id: string
  worker: string
  version: string | null
  command: string
  /** Undefined once it is over: nobody needs it any more. */
  input?: unknown
  /** Of a command that the manager did not hand over itself: what it may not know. */
  origin: NonNullable<CommandUpdate['origin']> | null
  queuedAt: number
  startedAt: number | null
  state: CommandState
  /** The highest attempt under which the manager knows it: this agent's own go on from there. */
  knownAs: number
  /** Output: the next piece's number, what was written so far, and the last piece that the manager has taken. */
  output: { next: number; chunks: number; bytes: number; taken: number }
  /** Sealed to the manager's key. */
  result: string | null
  /** The manager has taken its end. */
  told: boolean
}

/**
 * An agent that lost its volume begins again at the attempt it is given: its pieces get numbers of their own, so that they are not
 * taken for those that came before.
 */
const numbersPerAttempt = 1_024

export function recordOf(
  given: Omit<CommandOrder, 'attempt'> & { attempt?: number; origin?: CommandRecord['origin'] },
  now: number,
): CommandRecord {
  const { id, worker, version, command, input, deadline, attempt = 1 } = given
  return {
    ...{ id, worker, version, command, input, queuedAt: now, startedAt: null, result: null, told: false },
    origin: given.origin ?? null,
    state: { ...commandState.queued(deadline), attempt: attempt - 1 },
    knownAs: attempt,
    output: { next: (attempt - 1) * numbersPerAttempt + 1, chunks: 0, bytes: 0, taken: 0 },
  }
}

export const isOpen = (record: CommandRecord): boolean => !commandState.isOver(record.state.status)
