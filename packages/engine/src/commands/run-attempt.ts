import type { Clock, Random } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Invoker } from '../ports/platform.ts'
import { withDeadline } from '../run/with-deadline.ts'
import { type AttemptResult, afterAttempt, begunTooOften, type Ended } from './after-attempt.ts'
import type { CommandPort, HeldCommand } from './command-port.ts'
import { OutputWriter } from './output-writer.ts'

export interface AttemptDeps {
  port: CommandPort
  invokerOf: (held: HeldCommand) => Invoker
  /** Once more, where it runs: whether the release has the command and takes this input. Throws what `checkCommand` throws. */
  check: (held: HeldCommand) => Promise<void>
  clock: Clock
  random: Random
  log: Log
  leaseMs: number
  /** Called when something readable changed. */
  onChange: () => void
}

/**
 * Runs one attempt: the lease is renewed while it lasts, so that a command whose runner dies is taken up by another. The worker
 * gets id and attempt, to do its work once.
 *
 * @param stopping gives it back for another attempt, here later or elsewhere
 */
export async function runAttempt(deps: AttemptDeps, held: HeldCommand, stopping: AbortSignal): Promise<void> {
  const { port, clock, random, log } = deps
  const ending = new AbortController()
  const end = (why: Ended) => ending.abort(why)
  const output = new OutputWriter({ port, clock, held, onFlush: deps.onChange })
  if (held.cancelRequested) end('cancelled')
  const onStop = () => end('stopping')
  stopping.addEventListener('abort', onStop, { once: true })
  if (stopping.aborted) onStop()
  if (held.attempt > 1) output.write(`[attempt ${held.attempt}]\n`)
  const over = new AbortController()
  const lease = { until: held.until }
  const keeping = keepLease(deps, held, lease, end, over.signal)
  // Asked where the call is sent: since it was claimed this process may have been stopped for long.
  const stillOurs = () => {
    if (clock.now() >= held.deadline) end('expired')
    else if (clock.now() >= lease.until) end('lost')
  }
  try {
    const next =
      begunTooOften(held.attempt) ??
      afterAttempt(held.attempt, await call(deps, held, stillOurs, ending.signal, output), clock.now(), random.next())
    await output.close()
    if (next.do === 'finish') await port.finish(held, next.outcome, clock.now())
    if (next.do === 'postpone') await port.postpone(held, next.until)
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

async function call(
  deps: AttemptDeps,
  held: HeldCommand,
  stillOurs: () => void,
  signal: AbortSignal,
  output: OutputWriter,
): Promise<AttemptResult> {
  const { deployment, worker, version, command, id, attempt, input, deadline } = held
  const run = async () => {
    await deps.check(held)
    stillOurs()
    signal.throwIfAborted()
    return deps
      .invokerOf(held)
      .invoke(
        { deployment, worker, ...(version === null ? {} : { version }), signal },
        { command, id, attempt, input, deadline },
        (chunk) => output.write(chunk),
      )
  }
  try {
    return { kind: 'answer', answer: await orEnded(signal, run) }
  } catch (error) {
    return signal.aborted ? { kind: 'ended', why: signal.reason as Ended } : { kind: 'error', error }
  }
}

/** The call's answer, or the signal's reason when that comes first: a platform that ignores its signal holds nobody up. */
async function orEnded<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let stop = () => {}
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  const running = run()
  try {
    return await Promise.race([running, ended])
  } finally {
    signal.removeEventListener('abort', stop)
    running.catch(() => {})
  }
}

/** Renews until it is over; ends the run at its deadline, on a cancel, and when the lease was lost. */
async function keepLease(
  { port, clock, leaseMs }: AttemptDeps,
  held: HeldCommand,
  lease: { until: number },
  end: (why: Ended) => void,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const pause = Math.min(leaseMs / 3, 1_000, Math.max(10, held.deadline - clock.now()))
    await clock.sleep(pause, over).catch(() => {})
    if (over.aborted) return
    if (clock.now() >= held.deadline) end('expired')
    try {
      const until = clock.now() + leaseMs
      // A store that does not answer must not hide that the lease has run out.
      const { ours, cancelled } = await withDeadline(clock, Math.max(1, lease.until - clock.now()), [over], () =>
        port.renew(held, until),
      )
      if (!ours) return end('lost')
      lease.until = until
      if (cancelled) end('cancelled')
    } catch {
      // The store is away: until the lease has run out, nobody else can have taken the command.
      if (clock.now() >= lease.until) return end('lost')
    }
  }
}
