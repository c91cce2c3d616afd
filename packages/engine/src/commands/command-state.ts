import { commandLimits } from './limits.ts'

export type CommandEnd = 'succeeded' | 'failed' | 'expired' | 'cancelled'
export type CommandStatus = 'queued' | 'running' | CommandEnd

/**
 * What decides over a command: who holds it, whether it is over. Stores keep it as they like; each does what these functions say
 * (`commandConformance`). Instants are milliseconds since the epoch.
 */
export interface CommandState {
  status: CommandStatus
  /** Attempts begun; only grows. */
  attempt: number
  deadline: number
  /** Grows with each claim, and when it is taken back: what an earlier holder still says carries a lower one. */
  epoch: number
  /** Null: nobody holds it. */
  owner: string | null
  /** End of the lease; without an owner, when the next attempt may begin. Null: at once. */
  until: number | null
  cancelRequested: boolean
  finishedAt: number | null
  error: { code: string; message: string } | null
}

/** How an attempt ended for good. */
export type CommandOutcome =
  | { status: 'succeeded'; result: unknown }
  | { status: Exclude<CommandEnd, 'succeeded'>; error: { code: string; message: string } }

/* Each function answers the next state, or null: the call changes nothing. */

export const queued = (deadline: number): CommandState => ({
  status: 'queued',
  attempt: 0,
  deadline,
  epoch: 0,
  owner: null,
  until: null,
  cancelRequested: false,
  finishedAt: null,
  error: null,
})

export const isOver = (status: CommandStatus): boolean => status !== 'queued' && status !== 'running'

/** Whether an attempt may begin: before the deadline, and nobody holds it or its holder's lease has run out. */
export const isDue = (state: CommandState, now: number): boolean =>
  !isOver(state.status) && state.deadline > now && (state.until === null || state.until <= now)

/** Begins the next attempt. */
export function claimed(state: CommandState, owner: string, ttlMs: number, now: number): CommandState | null {
  if (!isDue(state, now)) return null
  return {
    ...state,
    status: 'running',
    attempt: state.attempt + 1,
    epoch: state.epoch + 1,
    owner,
    until: now + ttlMs,
  }
}

const holds = (state: CommandState, epoch: number) =>
  state.status === 'running' && state.owner !== null && state.epoch === epoch

export const renewed = (state: CommandState, epoch: number, until: number): CommandState | null =>
  holds(state, epoch) ? { ...state, until } : null

export function finished(
  state: CommandState,
  epoch: number,
  outcome: { status: CommandEnd; error?: CommandState['error'] },
  at: number,
): CommandState | null {
  if (!holds(state, epoch)) return null
  return { ...state, status: outcome.status, error: outcome.error ?? null, finishedAt: at, owner: null, until: null }
}

/** Given back for a later attempt. */
export const postponed = (state: CommandState, epoch: number, until: number): CommandState | null =>
  holds(state, epoch) ? { ...state, owner: null, until } : null

export const cancelledError = { code: 'E_COMMAND_CANCELLED', message: 'It was cancelled.' } as const
export const deadlineError = { code: 'E_COMMAND_DEADLINE', message: 'It was not done by its deadline.' } as const

const isHeld = (state: CommandState, now: number) => state.owner !== null && (state.until ?? 0) > now

/** Ends what nobody holds at once; a holder is told when it renews. */
export function cancelled(state: CommandState, now: number): CommandState | null {
  if (isOver(state.status)) return null
  if (isHeld(state, now)) return state.cancelRequested ? null : { ...state, cancelRequested: true }
  return ended({ ...state, cancelRequested: true }, 'cancelled', cancelledError, now)
}

/** Ends what is past its deadline, or was to be cancelled, and that nobody is about to end by himself. */
export function swept(state: CommandState, now: number): CommandState | null {
  if (isOver(state.status)) return null
  const held = isHeld(state, now)
  if (state.cancelRequested && !held) return ended(state, 'cancelled', cancelledError, now)
  if (state.deadline > now || (held && state.deadline > now - commandLimits.expiryGraceMs)) return null
  return ended(state, 'expired', deadlineError, now)
}

/** Ended by others than its holder, who is fenced by it. */
const ended = (state: CommandState, status: CommandEnd, error: CommandState['error'], now: number): CommandState => ({
  ...state,
  status,
  error,
  epoch: state.epoch + 1,
  owner: null,
  until: null,
  finishedAt: now,
})
