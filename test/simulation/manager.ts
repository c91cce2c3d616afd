import type { StateStore } from '@landfall/engine'
import { createRunner, type Platform, type VerifiedRelease } from '@landfall/engine'
import { seededRandom } from '@landfall/engine/testing'
import { LandfallError } from '@landfall/stack'
import { startLoop } from '../../packages/manager/src/control/loop.ts'
import type { Commands } from './commands.ts'
import type { Database, Topic } from './database.ts'
import { type FleetSeams, lookOnce, wakeLate } from './fleet.ts'
import { startManagerCommands } from './manager-commands.ts'
import { answerSync, type SyncSeams } from './manager-sync.ts'
import { createPushStore, type StoreSeams } from './push-store.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'

/** How the way to the database misbehaves, each until an instant of true time. */
export interface DatabaseTroubles {
  away: number
  /** Transactions are committed, and the connection breaks before the answer. */
  mute: number
}

export interface ManagerDeps {
  scheduler: Scheduler
  life: Life
  seed: number
  db: Database
  troubles: DatabaseTroubles
  site: (deployment: string) => Site
  store: StoreSeams
  fleet: FleetSeams
  sync: SyncSeams
  commands: Commands
  wrapStore: (store: StateStore, manager: string) => StateStore
  /** Beside the store, at the instant of each transaction. */
  watchStore: (store: StateStore) => StateStore
  wrapPlatform: (platform: Platform) => Platform
  release: (release: VerifiedRelease) => VerifiedRelease
}

export interface Manager {
  life: Life
  hear(topic: Topic): void
  sync(body: unknown, deployment: string): Promise<{ status: number; body: unknown }>
}

export const limits = { rolloutTickMs: 2_000 }
const quiet = { info() {}, warn() {} }

/** One manager process: the engine's own runner and the fleet's own loops, over the simulated database. */
export function startManager(deps: ManagerDeps): Manager {
  const { scheduler, life, db } = deps
  const clock = scheduler.clockOf(life)
  const random = seededRandom(deps.seed)
  const commit = <T>(label: string, work: () => T | Promise<T>) => transaction(deps, label, work)
  const store = deps.wrapStore(
    throughDatabase(deps.watchStore(createPushStore(db, clock.now, deps.store)), commit),
    life.name,
  )
  const runner = createRunner({
    store,
    platform: (deployment) => deps.site(deployment.id).reachedBy(life, deps.wrapPlatform),
    verifier: { load: (digest) => commit('release', () => deps.release(releaseIn(db, digest))) },
    config: { load: (digest) => commit('config', () => configIn(db, digest)) },
    blobs: { read: () => Promise.reject(new Error('no content in the simulation')) },
    metrics: { read: async () => null },
    gates: { ask: async () => ({ status: 'pass' }) },
    clock,
    random,
    log: quiet,
    owner: `${life.name}-${deps.seed}`,
    limits,
    concurrency: 8,
    idleMs: 4_000,
  })
  runner.start()
  const rollouts = startLoop({
    name: 'rollouts',
    intervalMs: 4_000,
    clock,
    log: quiet,
    work: () => commit('look', () => lookOnce(db, clock.now(), deps.fleet)),
  })
  startLoop({
    name: 'late-joiners',
    intervalMs: 8_000,
    clock,
    log: quiet,
    work: async () => {
      await commit('late', () => wakeLate(db, clock.now()))
      return false
    },
  })
  const invokerOf = (deployment: string) => deps.commands.invoker(deps.site(deployment), life)
  const owner = `${life.name}-${deps.seed}`
  const commands = startManagerCommands({
    ...{ db, commands: deps.commands, invokerOf, clock, random, owner, commit },
    process: life.name,
  })
  const told = new Set<string>()
  const listeners = new Set<() => void>()
  return {
    life,
    hear(topic) {
      if (topic === 'deployments') runner.wake()
      if (topic === 'rollouts') rollouts.wake()
      if (topic === 'commands') commands.wake()
      if (topic !== 'rollouts') for (const listener of listeners) listener()
    },
    sync: (body, deployment) =>
      answerSync({ db, clock, commit, listeners, seams: deps.sync, commands: deps.commands, told }, body, deployment),
  }
}

/** One transaction as a process sees it: it takes time, may fail before it happened, or happen without an answer. */
async function transaction<T>(deps: ManagerDeps, label: string, work: () => T | Promise<T>): Promise<T> {
  const { scheduler, life, troubles } = deps
  const name = `${life.name} ${label}`
  const chance = scheduler.chance(`database ${life.name}`)
  await scheduler.hop(life, chance.between(1, 8), `${name}>`)
  if (troubles.away > scheduler.now) throw new Error('the database is away')
  const value = await work()
  await scheduler.hop(life, chance.between(1, 8), `${name}<`)
  if (troubles.mute > scheduler.now && chance.of(0.3)) throw new Error('the connection broke')
  return value
}

function throughDatabase(
  store: StateStore,
  commit: <T>(label: string, work: () => T | Promise<T>) => Promise<T>,
): StateStore {
  return {
    claim: (...given) => commit('claim', () => store.claim(...given)),
    renew: (...given) => commit('renew', () => store.renew(...given)),
    desired: (...given) => commit('desired', () => store.desired(...given)),
    persist: (...given) => commit('persist', () => store.persist(...given)),
    release: (...given) => commit('release', () => store.release(...given)),
  }
}

export function releaseIn(db: Database, digest: string) {
  const release = db.releases.get(digest)
  if (release) return release
  throw new LandfallError({
    code: 'E_NOT_FOUND',
    message: `There is no release ${digest}`,
    hint: 'None.',
    retryable: true,
  })
}

export function configIn(db: Database, digest: string) {
  const document = db.configs.get(digest)
  if (!document) throw new LandfallError({ code: 'E_CONFIG_UNKNOWN', message: `No config ${digest}`, hint: 'None.' })
  const secrets = Object.fromEntries(Object.entries(document.secrets).map(([name, { version }]) => [name, { version }]))
  return { ...document, secrets, digest, openSecret: async (name: string) => `value of ${name}` }
}
