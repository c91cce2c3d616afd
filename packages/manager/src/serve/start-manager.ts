import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { createLocalPlatform } from '@landfall/platform-local'
import { startPostgres } from '@landfall/postgres'
import { createAgents, defaultPoll } from '../agents/agents.ts'
import { offlineAfterMs } from '../agents/offline-after.ts'
import { startAgentLoops } from '../agents/start-loops.ts'
import { answerSyncs } from '../agents/sync-listener.ts'
import { handlers } from '../api/handlers.ts'
import { Attempts } from '../auth/attempts.ts'
import { SingleSignOn } from '../auth/single-sign-on.ts'
import { Usage } from '../auth/usage.ts'
import { startLoop } from '../control/loop.ts'
import { startControl } from '../control/start.ts'
import { createWaker } from '../control/waker.ts'
import { createApp } from '../http/create-app.ts'
import { RequestMetrics } from '../http/request-metrics.ts'
import type { Services } from '../http/services.ts'
import { readMasterKey, readOrCreateMasterKey } from '../secrets/key-file.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import { openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { telemetryTargets } from '../telemetry/telemetry-tokens.ts'
import { bootstrapLink } from './bootstrap-link.ts'
import { cleanUp } from './clean-up.ts'
import { listen } from './listen.ts'
import { fromEnvironment, type ManagerOptions, warningsOnly } from './options.ts'
import { systemClock, systemRandom } from './system-clock.ts'
import { managerVersion } from './version.ts'

export interface Manager {
  url: string
  /** Makes the first account; null once there is one. */
  bootstrapUrl: string | null
  /** Drains: takes nothing new, ends what is under way within the deadline, and stops all it started. Idempotent. */
  stop(): Promise<void>
}

const drainMs = 10_000
const sessionMs = 14 * 86_400_000

/**
 * Starts a manager: database, migrations, keys, API, and the loops that move rollouts and deployments. Whatever it started
 * is stopped again when the start fails.
 *
 * @throws LandfallError `E_PORT_IN_USE`, `E_SCHEMA_NEWER`, `E_MASTER_KEY_WRONG`, `E_MASTER_KEY_FILE`, `E_POSTGRES_*`
 */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const given = { ...fromEnvironment(process.env), ...options }
  const clock = given.clock ?? systemClock
  const log = given.log ?? warningsOnly
  const draining = new AbortController()
  // Undone in reverse order, at the end or when the start fails.
  const undo: (() => Promise<unknown>)[] = []
  const stopAll = async () => {
    for (const step of undo.splice(0).reverse()) {
      await step().catch((error: unknown) => log.warn('a part did not stop cleanly', { error: String(error) }))
    }
  }
  try {
    const host = given.host ?? '127.0.0.1'
    const server = await listen(host, given.port)
    undo.push(() => server.stop(0))
    const publicUrl = given.publicUrl?.replace(/\/+$/, '') ?? `http://${visible(host)}:${server.port}`
    const databaseUrl = given.databaseUrl ?? (await startEmbedded(given.dataDir, undo))
    const database = openDatabase(databaseUrl, {
      size: 20,
      onError: (error) => {
        // At the end the server takes its leave before the last connection does.
        if (!draining.signal.aborted) log.warn('a database connection broke', { error: error.message })
      },
    })
    undo.push(() => database.close())
    await migrate(database.pool)
    const master = given.masterKeyFile
      ? await readMasterKey(given.masterKeyFile)
      : await readOrCreateMasterKey(join(given.dataDir, 'master.key'))
    const keyring = await openKeyring(database.db, master, clock.now())
    const waker = createWaker({ pool: database.pool, clock, log })
    undo.push(() => waker.stop())
    const { db, pool } = database
    const random = given.random ?? systemRandom
    // Workers of the local platform run on this machine: they send telemetry here, whatever people call the manager.
    const endpoint = () => `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : visible(host)}:${server.port}`
    const telemetry = telemetryTargets({ db, keyring, clock, log, endpoint })
    const control = startControl({
      db,
      pool,
      clock,
      random,
      log,
      keyring,
      waker,
      owner: `${hostname()}:${process.pid}:${randomUUID()}`,
      platforms: { local: createLocalPlatform({ telemetry }) },
      offlineAfterMs: offlineAfterMs({ ...defaultPoll, ...given.agents }),
      ...(given.concurrency === undefined ? {} : { concurrency: given.concurrency }),
    })
    undo.push(() => control.stop())
    const agents = createAgents({ db, keyring, clock, waker, poll: given.agents ?? {} })
    undo.push(startAgentLoops({ hub: agents.hub, db, keyring, clock, log, waker }))
    const services: Services = {
      db: database.db,
      pool: database.pool,
      clock,
      random,
      log,
      keyring,
      control,
      settings: {
        publicUrl,
        version: managerVersion,
        environmentsDirectory: resolve(given.dataDir, 'environments'),
        webDirectory: given.webDirectory === undefined ? await builtWebApp() : given.webDirectory,
        oidc: given.oidc ?? null,
        sessionMs,
      },
      usage: new Usage(),
      attempts: new Attempts(),
      singleSignOn: new SingleSignOn(),
      waker,
      agents,
      requests: new RequestMetrics(),
      accessLog: given.accessLog ? (line) => log.info('call', { ...line }) : null,
      stopping: draining.signal,
      afterCommit: (work) => work(),
    }
    startUpkeep(services, undo)
    const app = createApp(services, handlers)
    server.serve(answerSyncs(services, getRequestListener(app.fetch)))
    // Before everything else at the end: first no new calls, then those under way, then the loops they may have woken.
    undo.push(async () => {
      draining.abort(new Error('the manager is ending'))
      const until = Date.now() + drainMs
      await server.stop(drainMs)
      // A caller whose connection was cut is gone, its call is not: it ends before the database is taken from it.
      while (services.requests.inFlight > 0 && Date.now() < until) await setTimeout(20)
    })
    const bootstrapUrl = await bootstrapLink(database.db, publicUrl, clock.now())
    let stopping: Promise<void> | null = null
    return {
      url: publicUrl,
      bootstrapUrl,
      stop: () => {
        stopping ??= stopAll()
        return stopping
      },
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function startEmbedded(dataDir: string, undo: (() => Promise<unknown>)[]): Promise<string> {
  const server = await startPostgres({ directory: join(dataDir, 'postgres') })
  undo.push(() => server.stop())
  return server.url
}

/** Writes what was gathered in memory, and takes old rows away. */
function startUpkeep(services: Services, undo: (() => Promise<unknown>)[]): void {
  const { db, clock, log, usage, settings } = services
  const flush = () => usage.flush(db, settings.sessionMs)
  const flushing = startLoop({
    name: 'usage',
    intervalMs: 5_000,
    clock,
    log,
    work: async () => {
      await flush()
      return false
    },
  })
  const cleaning = startLoop({
    name: 'clean-up',
    intervalMs: 600_000,
    clock,
    log,
    work: async () => {
      await cleanUp(db, clock.now())
      return false
    },
  })
  undo.push(async () => {
    await Promise.all([flushing.stop(), cleaning.stop()])
    await flush()
  })
}

/** An address that a browser can open, for one that means "all". */
function visible(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

async function builtWebApp(): Promise<string | null> {
  const directory = fileURLToPath(new URL('../../../web/dist', import.meta.url))
  const index = await stat(join(directory, 'index.html')).catch(() => null)
  return index ? directory : null
}
