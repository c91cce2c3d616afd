import type { Report, SyncAnswer, SyncRequest } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { MachinePrincipal } from '../../http/principal.ts'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database } from '../../store/database.ts'
import type { CommandHandover } from '../command-handover.ts'
import { type Built, buildOrders } from '../order/build-orders.ts'
import { sessionEnded, tooManyWaiting } from '../refusals.ts'
import type { Accepted } from '../report/accept-report.ts'
import { Batcher } from './batcher.ts'
import { Connection } from './connection.ts'
import { Holds } from './holds.ts'
import { raiseGeneration } from './raise-generation.ts'
import { type Known, readBehind, readKnown } from './read-known.ts'

/** How agents are to ask. Milliseconds. */
export type Poll = SyncAnswer['poll']

export interface HubOptions {
  db: Database
  keyring: Keyring
  clock: Clock
  commands: CommandHandover
  poll: Poll
  /** Takes a report in, in a transaction of its own, and wakes whom it concerns. */
  accept: (deployment: string, report: Report) => Promise<Accepted>
  /** Syncs that are held at once, at most. */
  maxWaiting?: number
}

/** Whose sync it is, by the token of its session. */
type Syncing = Pick<MachinePrincipal, 'deployment' | 'session'>

/** Agents that have not asked for this long are forgotten; the next sync reads them again. */
const forgetMs = 600_000
const orderBatch = { size: 200, concurrency: 3 }
const knownBatch = { size: 500, concurrency: 2 }

/**
 * The agents that sync with this manager. What a sync has to know is here in memory, so that one that finds nothing new, held or not,
 * does no database operation. It is kept right by `look` (woken after a commit, one query for all) and by `reread` (slow, everything),
 * so that a lost wake-up costs a poll interval. Nothing in here is needed after a restart.
 */
export class AgentHub {
  readonly #options: HubOptions
  readonly #connections = new Map<string, Connection>()
  readonly #known: Batcher<Known>
  readonly #orders: Batcher<Built>
  readonly #seen = new Map<string, number>()
  readonly #holds: Holds
  #waiting = 0

  constructor(options: HubOptions) {
    const { db, keyring } = options
    this.#options = options
    this.#holds = new Holds(options.clock)
    this.#known = new Batcher((ids) => readKnown(db, ids), knownBatch)
    this.#orders = new Batcher((ids) => buildOrders(db, keyring, ids), orderBatch)
  }

  get counts(): { connected: number; waiting: number } {
    return { connected: this.#connections.size, waiting: this.#waiting }
  }

  /** Refuses a token of a session that is known to be over. @throws LandfallError `E_SESSION_ENDED` */
  requireCurrent({ deployment, session }: { deployment: string; session: number }): void {
    const current = this.#connections.get(deployment)?.known.session ?? session
    if (session < current) throw sessionEnded()
  }

  /**
   * One sync: takes the report in, waits while there is nothing new, answers.
   *
   * @throws LandfallError `E_SESSION_ENDED`, `E_BUSY`, those of `acceptReport`
   */
  async sync(agent: Syncing, request: SyncRequest, signal: AbortSignal): Promise<SyncAnswer> {
    const { clock, poll } = this.#options
    const deployment = agent.deployment ?? ''
    const connection = await this.#connect(deployment, agent.session ?? 0)
    const current = () => {
      if (connection.known.session !== agent.session) throw sessionEnded()
    }
    this.#see(connection, clock.now())
    // Not newer than what was taken: it came twice, or late.
    const fresh = request.report !== undefined && request.report.number > connection.known.reported
    if (request.report && fresh) await this.#take(connection, request.report)
    if (request.known > connection.known.generation) await this.#catchUp(connection, request.known)
    // A report that was taken is answered at once: the agent is to know, and asks again.
    const until = clock.now() + (fresh ? 0 : Math.min(request.wait * 1000, poll.waitMs))
    for (;;) {
      const leftMs = until - clock.now()
      if (leftMs > 0 && !connection.hasNews(request)) await this.#hold(connection, request, leftMs, signal)
      current()
      const news = connection.hasNews(request)
      const { answer, tells } = await this.#answer(connection, request, signal)
      this.#see(connection, clock.now())
      // Another sync of the same agent may have taken the command that woke this one: then it goes on waiting.
      if (tells || !news || leftMs <= 0 || signal.aborted) return answer
    }
  }

  /**
   * The answer to a poll that neither reports nor waits and for which there is nothing new, from memory alone; null for every other sync,
   * also of a session that is not the current one here.
   */
  unchanged(agent: { deployment: string; session: number }, request: SyncRequest): SyncAnswer | null {
    const connection = this.#connections.get(agent.deployment)
    if (!connection || request.report !== undefined || request.wait > 0) return null
    const { known, commands } = connection
    if (known.session !== agent.session || request.known !== known.generation || connection.hasNews(request))
      return null
    const at = this.#options.clock.now()
    this.#see(connection, at)
    const { reported, audit, keyset, checkpoint } = known
    const now = new Date(at).toISOString()
    const cancel = [...commands.cancel]
    return { now, poll: this.#options.poll, order: null, commands: [], cancel, reported, audit, keyset, checkpoint }
  }

  /** Looks what was asked since: one query for orders, one for commands, however many agents wait. */
  async look(): Promise<void> {
    if (this.#connections.size === 0) return
    for (const [id, generation] of await readBehind(this.#options.db)) this.#connections.get(id)?.raise(generation)
  }

  async lookForCommands(): Promise<void> {
    const ids = [...this.#connections.keys()]
    if (ids.length === 0) return
    const waiting = await this.#options.commands.waiting(this.#options.db, ids)
    for (const id of ids) this.#connections.get(id)?.setCommands(waiting.get(id))
  }

  /** Reads everything that is known anew, forgets who is gone: what no wake-up told. */
  async reread(): Promise<void> {
    const { db, clock } = this.#options
    const old = clock.now() - forgetMs
    for (const [id, { seenAt, waiter }] of this.#connections) {
      if (seenAt < old && !waiter) this.#connections.delete(id)
    }
    const ids = [...this.#connections.keys()]
    const read = await readKnown(db, ids)
    for (const id of ids) {
      const connection = this.#connections.get(id)
      const known = read.get(id)
      if (!connection) continue
      if (known) connection.update(known)
      else this.#end(connection)
    }
    await this.lookForCommands()
  }

  /** A session began here: a sync of the one before is answered, and refused. */
  sessionBegan(deployment: string, number: number): void {
    const connection = this.#connections.get(deployment)
    if (!connection || connection.known.session >= number) return
    // Its counters may have begun anew: the next sync reads them.
    this.#end(connection)
  }

  /** Who was seen since the last call, with when: whoever takes it writes it. */
  takeSeen(): [string, number][] {
    const seen = [...this.#seen]
    this.#seen.clear()
    return seen
  }

  async #connect(deployment: string, session: number): Promise<Connection> {
    const here = this.#connections.get(deployment)
    if (here && here.known.session >= session) {
      if (here.known.session > session) throw sessionEnded()
      return here
    }
    const known = await this.#known.load(deployment)
    if (!known || known.session !== session) throw sessionEnded()
    const meanwhile = this.#connections.get(deployment)
    if (meanwhile) {
      meanwhile.update(known)
      return meanwhile
    }
    const connection = new Connection(known)
    this.#connections.set(deployment, connection)
    return connection
  }

  async #take(connection: Connection, report: Report): Promise<void> {
    const { known } = connection
    const { reported, audit } = await this.#options.accept(known.deployment, report)
    // Two reports may have crossed: the later one counts.
    if (reported >= connection.known.reported) connection.known = { ...connection.known, reported, audit }
  }

  /** The agent has a higher generation than is known here: read again, and where it is really unknown (a restored database), pass it. */
  async #catchUp(connection: Connection, generation: number): Promise<void> {
    const { deployment } = connection.known
    const read = await this.#known.load(deployment)
    if (read) connection.update(read)
    if (generation <= connection.known.generation) return
    const { db, clock } = this.#options
    connection.raise(await raiseGeneration(db, { deployment, above: generation, at: clock.now() }))
  }

  async #hold(connection: Connection, request: SyncRequest, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    // The same agent asks anew: its earlier call was lost on the way.
    connection.waiter?.end()
    if (this.#waiting >= (this.#options.maxWaiting ?? 20_000)) throw tooManyWaiting()
    const { over, end } = this.#holds.begin(ms)
    const waiter = { request, end }
    connection.waiter = waiter
    this.#waiting += 1
    signal.addEventListener('abort', end, { once: true })
    await over
    signal.removeEventListener('abort', end)
    this.#waiting -= 1
    if (connection.waiter === waiter) connection.waiter = null
  }

  async #answer(
    connection: Connection,
    request: SyncRequest,
    signal: AbortSignal,
  ): Promise<{ answer: SyncAnswer; tells: boolean }> {
    const { clock, poll } = this.#options
    const built = connection.known.generation > request.known ? await this.#order(connection) : null
    const order = built !== null && built.generation > request.known ? built : null
    const commands = signal.aborted ? [] : await this.#commands(connection, request)
    const { known } = connection
    const cancel = [...connection.commands.cancel]
    const tells = connection.told(cancel) || order !== null || commands.length > 0
    const now = new Date(clock.now()).toISOString()
    const { reported, audit, keyset, checkpoint } = known
    return { answer: { now, poll, order, commands, cancel, reported, audit, keyset, checkpoint }, tells }
  }

  async #order(connection: Connection) {
    const built = await this.#orders.load(connection.known.deployment)
    if (built instanceof LandfallError) throw built
    // It has just told that everything is gone: that is taken, and there is nothing more to do.
    if (!built) return null
    connection.raise(built.generation)
    return built
  }

  async #commands(connection: Connection, { commandRoom: room }: SyncRequest): Promise<SyncAnswer['commands']> {
    if (room === 0 || connection.commands.queued === 0) return []
    const { db, clock, commands } = this.#options
    const { deployment, session } = connection.known
    const given = await commands.takeCommands(db, { deployment, room, session, at: clock.now() })
    // Less than there was room for: that was all there is, whatever was counted.
    const queued = given.length < room ? 0 : Math.max(0, connection.commands.queued - given.length)
    connection.setCommands({ ...connection.commands, queued })
    return [...given]
  }

  #see(connection: Connection, now: number): void {
    connection.seenAt = now
    this.#seen.set(connection.known.deployment, now)
  }

  #end(connection: Connection): void {
    this.#connections.delete(connection.known.deployment)
    connection.known = { ...connection.known, session: Number.MAX_SAFE_INTEGER }
    connection.waiter?.end()
  }
}
