import type { Clock, Log, Platform, Random } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { ClaimedCommand } from './claim-command.ts'
import { finishCommand, type Outcome, postponeCommand } from './finish-command.ts'
import { OutputWriter } from './output-writer.ts'
import { renewCommand } from './renew-command.ts'

export interface CommandDeps {
  db: Database
  keyring: Keyring
  clock: Clock
  random: Random
  log: Log
  platformOf: (command: ClaimedCommand) => Platform
  leaseMs: number
  /** Called when something readable changed. */
  onChange: () => void
}

/** Why a run was ended from outside. */
type Ended = 'cancelled' | 'expired' | 'lost' | 'stopping'

const maxAttempts = 10
const maxResultBytes = 1_048_576

/**
 * Runs one attempt: the lease is renewed while it lasts, so that a command whose manager dies is taken up by another. A worker's
 * answer is final, a refusal too; a platform that could not be reached is tried again until the deadline. The worker gets id
 * and attempt, to do its work once.
 */
export async function runCommand(deps: CommandDeps, held: ClaimedCommand, stopping: AbortSignal): Promise<void> {
  const { db, keyring, clock, random, log } = deps
  const ending = new AbortController()
  const end = (why: Ended) => ending.abort(why)
  const output = new OutputWriter({
    db,
    keyring,
    clock,
    of: { deployment: held.deployment.id, id: held.id },
    onFlush: deps.onChange,
  })
  if (held.cancelRequested) end('cancelled')
  const onStop = () => end('stopping')
  stopping.addEventListener('abort', onStop, { once: true })
  if (stopping.aborted) onStop()
  if (held.attempt > 1) output.write(`[attempt ${held.attempt}]\n`)
  const over = new AbortController()
  const keeping = keepLease(deps, held, end, over.signal)
  try {
    const outcome = await attempt(deps, held, ending.signal, (chunk) => output.write(chunk))
    await output.close()
    if (outcome) await finishCommand(db, keyring, held, outcome, clock.now())
    else if (ending.signal.reason === 'stopping') await postponeCommand(db, held, clock.now())
    else if (!ending.signal.aborted) {
      const backoff = random.next() * Math.min(30_000, 500 * 2 ** held.attempt)
      await postponeCommand(db, held, clock.now() + backoff)
    }
  } catch (error) {
    // Its lease runs out, and the next attempt begins.
    log.warn('A command could not be ended', { command: held.id, error: String(error) })
  } finally {
    over.abort()
    stopping.removeEventListener('abort', onStop)
    await keeping
    deps.onChange()
  }
}

/** The outcome of one call; null: not to be recorded (lost, stopping), or to be tried again. */
async function attempt(
  deps: CommandDeps,
  held: ClaimedCommand,
  signal: AbortSignal,
  onOutput: (chunk: string) => void,
): Promise<Outcome | null> {
  const { deployment, worker, version, command, id, input, deadline } = held
  try {
    const answer = await orEnded(
      signal,
      deps
        .platformOf(held)
        .invoker.invoke(
          { deployment, worker, ...(version === null ? {} : { version }), signal },
          { command, id, attempt: held.attempt, input, deadline },
          onOutput,
        ),
    )
    if (!answer.ok) return failed(answer.error)
    if (Buffer.byteLength(JSON.stringify(answer.output ?? null)) <= maxResultBytes) {
      return { status: 'succeeded', result: answer.output }
    }
    return failed({ code: 'E_COMMAND_RESULT', message: `The result is larger than ${maxResultBytes} bytes.` })
  } catch (error) {
    if (signal.aborted) return endedOutcome(signal.reason)
    const known = LandfallError.is(error)
    const last = (known && !error.retryable) || held.attempt >= maxAttempts
    if (last) return failed({ code: known ? error.code : 'E_COMMAND_UNREACHABLE', message: messageOf(error) })
    return null
  }
}

/** The promise's answer, or the signal's reason when that comes first: a platform that ignores its signal holds nobody up. */
async function orEnded<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let stop = () => {}
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, ended])
  } finally {
    signal.removeEventListener('abort', stop)
    promise.catch(() => {})
  }
}

function endedOutcome(reason: Ended): Outcome | null {
  if (reason === 'cancelled') {
    return { status: 'cancelled', error: { code: 'E_COMMAND_CANCELLED', message: 'It was cancelled while it ran.' } }
  }
  if (reason === 'expired') {
    return { status: 'expired', error: { code: 'E_COMMAND_DEADLINE', message: 'It was not done by its deadline.' } }
  }
  return null
}

const failed = (error: { code: string; message: string }): Outcome => ({
  status: 'failed',
  error: { code: error.code.slice(0, 100), message: error.message.slice(0, 4_000) },
})

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Renews until it is over; ends the run at its deadline, on a cancel, and when the lease was lost. */
async function keepLease(
  { db, clock, leaseMs }: CommandDeps,
  held: ClaimedCommand,
  end: (why: Ended) => void,
  over: AbortSignal,
): Promise<void> {
  let goodUntil = clock.now() + leaseMs
  while (!over.aborted) {
    const pause = Math.min(leaseMs / 3, 1_000, Math.max(10, held.deadline - clock.now()))
    await clock.sleep(pause, over).catch(() => {})
    if (over.aborted) return
    if (clock.now() >= held.deadline) end('expired')
    try {
      const { ours, cancelled } = await renewCommand(db, held, clock.now() + leaseMs)
      if (!ours) return end('lost')
      goodUntil = clock.now() + leaseMs
      if (cancelled) end('cancelled')
    } catch {
      // The database is away: until the lease has run out, nobody else can have taken the command.
      if (clock.now() >= goodUntil) return end('lost')
    }
  }
}
