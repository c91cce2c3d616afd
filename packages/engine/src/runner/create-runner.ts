import { defaultLimits } from '../limits.ts'
import type { EngineDeps } from '../run/engine-deps.ts'
import { type RunOutcome, runClaimed } from '../run/run-deployment.ts'
import { Bell } from './bell.ts'

export interface RunnerOptions extends EngineDeps {
  /** Deployments worked on at the same time. */
  concurrency: number
  /** Between two looks for due deployments when there were none, before jitter. Milliseconds; default 1000. */
  idleMs?: number
  /** Told of every ended run; for metrics. */
  onOutcome?: (outcome: RunOutcome) => void
}

export interface Runner {
  start(): void
  /** Something may be due: look now. Safe to call at any rate. */
  wake(): void
  /** Takes no more work, lets each run finish its current step and give its lease up, and resolves when all have. */
  stop(): Promise<void>
  /** Deployments that are worked on now. */
  readonly active: number
}

/**
 * Claims due deployments and works on them, a bounded number at once. Wake-ups only shorten the wait between two looks: a
 * runner that is never woken still finds everything.
 */
export function createRunner(options: RunnerOptions): Runner {
  const limits = { ...defaultLimits, ...options.limits }
  const idleMs = options.idleMs ?? 1_000
  const stopping = new AbortController()
  const bell = new Bell()
  const runs = new Set<Promise<void>>()
  let claiming: Promise<void> | null = null

  async function claimLoop(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (runs.size >= options.concurrency) {
        await Promise.race(runs)
        continue
      }
      const heard = bell.listen()
      const found = await claimOne()
      if (!found && !stopping.signal.aborted) await idle(heard)
    }
  }

  async function claimOne(): Promise<boolean> {
    try {
      const claimed = await options.store.claim(options.owner, limits.leaseMs)
      if (!claimed) return false
      const run = runClaimed({ ...options, signal: stopping.signal }, claimed, limits)
        .then((outcome) => options.onOutcome?.(outcome))
        .catch((error: unknown) => {
          // The lease runs out by itself; whoever claims next goes on from the last persisted step.
          options.log.warn('a run ended early', { deployment: claimed.lease.deployment, error: textOf(error) })
        })
        .finally(() => runs.delete(run))
      runs.add(run)
      return true
    } catch (error) {
      options.log.warn('no deployment could be claimed', { error: textOf(error) })
      return false
    }
  }

  async function idle(heard: Promise<void>): Promise<void> {
    const over = new AbortController()
    const ms = idleMs * (0.5 + options.random.next())
    await Promise.race([options.clock.sleep(ms, over.signal).catch(() => {}), heard])
    over.abort()
  }

  return {
    start() {
      claiming ??= claimLoop()
    },
    wake() {
      bell.ring()
    },
    async stop() {
      stopping.abort()
      bell.ring()
      await claiming
      await Promise.all(runs)
    },
    get active() {
      return runs.size
    },
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
