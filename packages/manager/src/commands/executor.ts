import { type AttemptDeps, type CommandStore, runAttempt } from '@landfall/engine'
import { type Loop, startLoop } from '../control/loop.ts'
import type { Scope } from '../control/store/claim.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { createCommandStore } from './command-store.ts'
import { sweepCommands } from './sweep-commands.ts'

export interface CommandExecutor {
  readonly loops: readonly Loop[]
  readonly active: number
  wake(): void
  /** Takes no more; what runs is given back for another manager to start anew. */
  stop(): Promise<void>
}

/** Runs the commands of the managers' queue in PostgreSQL. */
export function startExecutor(
  deps: Omit<QueueDeps, 'store' | 'sweep'> & { db: Database; keyring: Keyring; scope: Scope },
): CommandExecutor {
  const { db, keyring, scope, concurrency } = deps
  // Half of the places at most for one deployment: its long commands leave room for the others'.
  const perDeployment = Math.max(1, Math.ceil(concurrency / 2))
  return executeQueue({
    ...deps,
    store: createCommandStore({ db, keyring, scope, perDeployment }),
    sweep: (now) => sweepCommands(db, now),
  })
}

interface QueueDeps extends Omit<AttemptDeps, 'port'> {
  store: CommandStore
  /** Ends those whose deadline has passed; answers how many. */
  sweep: (now: number) => Promise<number>
  owner: string
  concurrency: number
  idleMs?: number
  sweepMs?: number
}

/** Runs the commands of a queue, a bounded number at once, and ends those whose deadline has passed. */
export function executeQueue(deps: QueueDeps): CommandExecutor {
  const { store, sweep, clock, log, owner, leaseMs } = deps
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const claims = startLoop({
    name: 'commands',
    intervalMs: deps.idleMs ?? 1_000,
    clock,
    log,
    work: async (signal) => {
      if (running.size >= deps.concurrency) {
        await Promise.race(running)
        return true
      }
      if (signal.aborted) return false
      const held = await store.claim(owner, leaseMs, clock.now())
      if (!held) return false
      const run = runAttempt({ ...deps, port: store }, held, stopping.signal).finally(() => running.delete(run))
      running.add(run)
      return true
    },
  })
  const sweeper = startLoop({
    name: 'command-deadlines',
    intervalMs: deps.sweepMs ?? 1_000,
    clock,
    log,
    work: async () => {
      const expired = await sweep(clock.now())
      if (expired > 0) deps.onChange()
      return expired > 0
    },
  })
  return {
    loops: [claims, sweeper],
    get active() {
      return running.size
    },
    wake: () => claims.wake(),
    stop: async () => {
      stopping.abort()
      await Promise.all([claims.stop(), sweeper.stop()])
      await Promise.all(running)
    },
  }
}
