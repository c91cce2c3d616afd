import type { Clock, Log } from '@landfall/engine'

export interface LoopHealth {
  name: string
  runs: number
  failures: number
  /** Milliseconds since the epoch; null before the first. */
  lastSuccessAt: number | null
  lastError: string | null
}

export interface Loop {
  readonly health: Readonly<LoopHealth>
  /** Runs soon; calls while it runs become one more run. */
  wake(): void
  /** Resolves when the run in progress is over. */
  stop(): Promise<void>
}

/**
 * Does `work` again and again: at once when woken or when it says that there is more, else after `intervalMs`. A failure is
 * logged and slows the next run (doubling, at most 30 s); it never ends the loop.
 */
export function startLoop(options: {
  name: string
  intervalMs: number
  clock: Clock
  log: Log
  /** True: there is more to do, come again at once. */
  work: (signal: AbortSignal) => Promise<boolean>
}): Loop {
  const { name, intervalMs, clock, log, work } = options
  const stopping = new AbortController()
  const health: LoopHealth = { name, runs: 0, failures: 0, lastSuccessAt: null, lastError: null }
  let woken = false
  let interrupt = () => {}
  const pause = async (ms: number) => {
    if (woken) return
    const waiting = new AbortController()
    interrupt = () => waiting.abort(new Error('woken'))
    const signal = AbortSignal.any([waiting.signal, stopping.signal])
    await clock.sleep(ms, signal).catch(() => {})
    interrupt = () => {}
  }
  const run = async () => {
    let inRow = 0
    while (!stopping.signal.aborted) {
      woken = false
      health.runs += 1
      try {
        const more = await work(stopping.signal)
        inRow = 0
        health.lastSuccessAt = clock.now()
        health.lastError = null
        if (!more) await pause(intervalMs)
      } catch (error) {
        if (stopping.signal.aborted) break
        inRow += 1
        health.failures += 1
        health.lastError = error instanceof Error ? error.message : String(error)
        log.warn(`Loop ${name} failed`, { error: health.lastError, inRow })
        // A wake-up must not make a failing loop spin, so this wait is not interrupted by one.
        await clock.sleep(Math.min(30_000, intervalMs * 2 ** Math.min(inRow, 10)), stopping.signal).catch(() => {})
      }
    }
  }
  const running = run()
  return {
    health,
    wake: () => {
      woken = true
      interrupt()
    },
    stop: async () => {
      stopping.abort(new Error('stopped'))
      await running
    },
  }
}
