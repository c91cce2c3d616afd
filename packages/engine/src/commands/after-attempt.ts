import { LandfallError } from '@landfall/stack'
import { type CommandOutcome, cancelledError, deadlineError } from './command-state.ts'
import { commandLimits } from './limits.ts'

/** How one call into a worker came out. */
export type AttemptResult =
  | { kind: 'answer'; answer: { ok: true; output: unknown } | { ok: false; error: { code: string; message: string } } }
  | { kind: 'error'; error: unknown }
  /** Ended from outside. `lost`: the lease is somebody else's · `stopping`: this runner stops, or may run nothing any more */
  | { kind: 'ended'; why: Ended }
export type Ended = 'cancelled' | 'expired' | 'lost' | 'stopping'

export type Next = { do: 'finish'; outcome: CommandOutcome } | { do: 'postpone'; until: number } | { do: 'nothing' }

/**
 * What follows an attempt; pure. A worker's answer is final, and so is a refusal; what could not be reached is tried again after
 * a growing pause (full jitter) until the deadline or the last attempt.
 *
 * @param chance uniform in [0, 1)
 */
export function afterAttempt(attempt: number, result: AttemptResult, now: number, chance: number): Next {
  if (result.kind === 'ended') return afterEnd(result.why, now)
  if (result.kind === 'answer') {
    const { answer } = result
    if (!answer.ok) return failed(answer.error)
    if (Buffer.byteLength(JSON.stringify(answer.output ?? null)) <= commandLimits.maxResultBytes) {
      return { do: 'finish', outcome: { status: 'succeeded', result: answer.output ?? null } }
    }
    const message = `The result is larger than ${commandLimits.maxResultBytes} bytes.`
    return failed({ code: 'E_COMMAND_RESULT', message })
  }
  const { error } = result
  const known = LandfallError.is(error)
  if ((known && !error.retryable) || attempt >= commandLimits.maxAttempts) {
    const message = error instanceof Error ? error.message : String(error)
    return failed({ code: known ? error.code : 'E_COMMAND_UNREACHABLE', message })
  }
  const cap = Math.min(commandLimits.backoffMaxMs, commandLimits.backoffBaseMs * 2 ** (attempt - 1))
  return { do: 'postpone', until: now + Math.ceil(chance * cap) }
}

/** One that was begun so often and never came back takes its runner down: it is not begun again. */
export const begunTooOften = (attempt: number): Next | null =>
  attempt <= commandLimits.maxAttempts
    ? null
    : failed({
        code: 'E_COMMAND_ATTEMPTS',
        message: `It was begun ${commandLimits.maxAttempts} times, and each time what ran it went away before it answered.`,
      })

function afterEnd(why: Ended, now: number): Next {
  if (why === 'cancelled') return { do: 'finish', outcome: { status: 'cancelled', error: cancelledError } }
  if (why === 'expired') return { do: 'finish', outcome: { status: 'expired', error: deadlineError } }
  return why === 'stopping' ? { do: 'postpone', until: now } : { do: 'nothing' }
}

const failed = (error: { code: string; message: string }): Next => ({
  do: 'finish',
  outcome: {
    status: 'failed',
    error: { code: error.code.slice(0, 100), message: error.message.slice(0, 4_000) },
  },
})
