import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '@landfall/agent'
import { createLocalClient, type LocalClient } from '@landfall/agent'
import { type Armed, files } from '../instrument/trace.ts'
import { Child } from './child.ts'
import { ChaosDatabase } from './database.ts'
import { processesOf } from './processes.ts'
import { roomFor } from './room.ts'
import { arrive, type Places, places, project, type Vendor } from './vendor.ts'

/** So long nothing is written where a start is over; a fleet of loops that go on by themselves is not waited for longer than the second. */
const quietMs = 500
const quietAtMostMs = 5_000

/** A vendor's manager, a push customer, a site without network and one that pulls: all real processes over one directory. */
export class World {
  readonly root: string
  readonly at: Places
  readonly database: ChaosDatabase
  readonly port: number
  readonly manager: Child
  /** Agents: one imports bundles, one pulls. */
  readonly site: Child
  readonly puller: Child
  vendor!: Vendor

  private constructor(root: string, database: ChaosDatabase, port: number) {
    this.root = root
    this.at = places(root)
    this.database = database
    this.port = port
    const environment = { LANDFALL_CHAOS: this.at.chaos, DATABASE_URL: database.url, TMPDIR: this.at.temporary }
    const child = (name: string, argv: readonly string[], log: string) =>
      new Child({
        ...{ name, argv, environment, log: join(root, log), compiled: join(root, 'compiled') },
        beforeAgain: () => (name === 'manager' ? this.#expireHolds() : Promise.resolve()),
      })
    this.manager = child('manager', ['serve', '--port', String(port), '--data', this.at.manager], 'manager.log')
    this.site = child('agent', ['agent', 'run', '--data', this.at.site], 'site.log')
    this.puller = child('agent', ['agent', 'run', '--data', this.at.puller], 'puller.log')
  }

  static async open(): Promise<World> {
    const root = mkdtempSync(join(roomFor(), 'lf-chaos-'))
    // PostgreSQL's own user has to get through, or its data would lie elsewhere.
    chmodSync(root, 0o711)
    const world = new World(root, await ChaosDatabase.start(root), await freePort())
    try {
      const { chaos, live, temporary, carried } = world.at
      for (const directory of [chaos, live, temporary, carried]) mkdirSync(directory)
      await world.database.empty()
      const { url, bootstrap } = await world.manager.start()
      world.vendor = await arrive(String(url), String(bootstrap), world.at.vendor, world.at.effects)
      await world.keep('vendor')
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  of(deployment: string) {
    return { project, deployment }
  }

  agent(where: 'site' | 'puller'): LocalClient {
    return createLocalClient({ socket: join(this.at[where], 'agent.sock') })
  }

  status(where: 'site' | 'puller'): Promise<AgentStatus> {
    return this.agent(where).json<AgentStatus>({ method: 'GET', path: '/v1/status' })
  }

  /** Calls again until it is answered, as a person or a pipeline would; refusals are thrown. */
  async insist<T>(call: () => Promise<T>, deadlineMs = 400_000): Promise<T> {
    const end = Date.now() + deadlineMs
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if ((error as { retryable?: boolean }).retryable !== true || Date.now() > end) throw error
        await sleep(100)
      }
    }
  }

  /** Looks until it holds; throws with what was seen last. */
  async until<T>(look: () => Promise<T>, holds: (seen: T) => boolean, deadlineMs = 400_000): Promise<T> {
    const end = Date.now() + deadlineMs
    let last: unknown = null
    for (;;) {
      const seen = await look().catch((error: unknown) => {
        last = String(error)
        return null
      })
      if (seen !== null && holds(seen)) return seen
      if (seen !== null) last = seen
      if (Date.now() > end) throw new Error(`it did not come to that: ${JSON.stringify(last).slice(0, 2_000)}`)
      await sleep(60)
    }
  }

  arm(armed: Armed): void {
    const file = join(this.at.chaos, files.armed)
    writeFileSync(`${file}.new`, JSON.stringify(armed))
    renameSync(`${file}.new`, file)
  }

  /** Points at which somebody was killed in this run. */
  killed(): string[] {
    return this.#lines(files.killed)
  }

  /** Points in the order in which they came. */
  trace(name: string): string[] {
    return this.#lines(files.trace(name))
  }

  /** Waits until nobody has written anything for a while: what a start does by itself is over, on a quick machine and on a slow one. */
  async quiet(): Promise<void> {
    const file = join(this.at.chaos, files.early)
    const size = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0
    let last = size()
    let since = Date.now()
    for (const end = since + quietAtMostMs; Date.now() < end && Date.now() - since < quietMs; await sleep(50)) {
      const now = size()
      if (now !== last) since = Date.now()
      last = now
    }
  }

  #lines(name: string): string[] {
    const file = join(this.at.chaos, name)
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  }

  /** Whether a state of that name is kept. */
  keeps(name: string): boolean {
    return existsSync(join(this.at.kept, name))
  }

  /** Ends every process and keeps files and database under a name. */
  async keep(name: string): Promise<void> {
    await this.stopAll('SIGTERM')
    cpSync(this.at.live, join(this.at.kept, name), { recursive: true, preserveTimestamps: true })
    await this.database.keep(name)
  }

  async bringBack(name: string): Promise<void> {
    await this.stopAll('SIGKILL')
    if (!this.database.alive) await this.database.again()
    for (const directory of [this.at.live, this.at.chaos]) rmSync(directory, { recursive: true, force: true })
    mkdirSync(this.at.chaos)
    const copied = this.database.bringBack(name)
    cpSync(join(this.at.kept, name), this.at.live, { recursive: true, preserveTimestamps: true })
    await copied
    for (const child of this.children) child.faults.length = 0
  }

  get children(): Child[] {
    return [this.manager, this.site, this.puller]
  }

  /** Runners first, then what they started: hosts and workers. */
  async stopAll(signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop(signal)))
    for (let round = 0; round < 200; round++) {
      const left = processesOf(this.root)
      if (left.length === 0) return
      for (const { pid, kind } of left) {
        if (signal === 'SIGTERM' && !kind.startsWith('host') && round < 100) continue
        try {
          process.kill(pid, round < 100 ? signal : 'SIGKILL')
        } catch {
          // It ended meanwhile.
        }
      }
      await sleep(50)
    }
  }

  async close(): Promise<void> {
    await this.stopAll('SIGKILL')
    await this.database.remove()
    rmSync(this.root, { recursive: true, force: true })
  }

  async #expireHolds(): Promise<void> {
    await this.database.expireHolds().catch(() => {})
  }
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
