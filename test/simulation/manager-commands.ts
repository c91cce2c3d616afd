import { type Clock, createReleaseCheck, type Invoker, type Random } from '@landfall/engine'
import { executeQueue } from '../../packages/manager/src/commands/executor.ts'
import { createCommandStore, sweepCommands } from './command-store.ts'
import type { Commands } from './commands.ts'
import type { Database } from './database.ts'
import { releaseIn } from './manager.ts'
import { desiredFrom } from './push-store.ts'

interface Deps {
  db: Database
  commands: Commands
  invokerOf: (deployment: string) => Invoker
  clock: Clock
  random: Random
  owner: string
  /** The manager's name. */
  process: string
  commit: <T>(label: string, work: () => T | Promise<T>) => Promise<T>
}

/** A manager's own executor, over the simulated queue. Answers how to wake it. */
export function startManagerCommands(deps: Deps): { wake(): void } {
  const { db, commands, commit, clock, random, owner } = deps
  const runs = (id: string) => {
    const row = db.deployment(id)
    const mayRun = row.model === 'push' && !row.deleted && row.customer.access !== 'revoked'
    return mayRun ? desiredFrom(row).deployment : null
  }
  const store = createCommandStore(commands.table, runs, commands.seams)
  return executeQueue({
    store: {
      claim: (...given) =>
        commit('command', async () => {
          const held = await store.claim(...given)
          if (held) commands.claimed(deps.process, held)
          return held
        }),
      renew: (...given) => commit('command lease', () => store.renew(...given)),
      finish: (...given) => commit('command end', () => store.finish(...given)),
      postpone: (...given) => commit('command back', () => store.postpone(...given)),
      written: (...given) => commit('command output?', () => store.written(...given)),
      output: (...given) => commit('command output', () => store.output(...given)),
    },
    sweep: (now) => commit('sweep', () => sweepCommands(commands.table, now)),
    check: createReleaseCheck({ load: (digest) => commit('release', () => releaseIn(db, digest)) }, ({ id }) =>
      commit('current', () => {
        const { state, policy } = db.deployment(id)
        return { state, trustedKeys: policy.trustedKeys }
      }),
    ),
    invokerOf: (held) => deps.invokerOf(held.deployment.id),
    onChange: () => {},
    log: { info() {}, warn() {} },
    clock,
    random,
    owner,
    leaseMs: 15_000,
    concurrency: 4,
    idleMs: 5_000,
    sweepMs: 5_000,
  })
}
