import { agentChain, genesis } from '@landfall/contract'
import type { Target } from '@landfall/engine'
import { customerSettings, LandfallError } from '@landfall/stack'
import { defaultPlan } from '../../packages/manager/src/control/fleet/plan-of.ts'
import type { StoredPlan } from '../../packages/manager/src/store/tables/releases.ts'
import { type Bundle, type RunningAgent, type Send, startAgent } from './agent.ts'
import { noSeams, type Seams } from './bugs.ts'
import type { Channel } from './channels.ts'
import { Commands } from './commands.ts'
import { Database, type Topic } from './database.ts'
import { type DatabaseTroubles, type Manager, startManager } from './manager.ts'
import { acceptReport, buildOrder } from './manager-sync.ts'
import { behaviourOf, type Kind, makeRelease, type SimRelease } from './releases.ts'
import type { DeploymentRow } from './rows.ts'
import { Life, Scheduler } from './scheduler.ts'
import type { Cast } from './script.ts'
import { Site } from './site.ts'
import { emptyTruth } from './truth.ts'
import { Watch } from './watch.ts'
import { WindowWatch } from './windows.ts'

export const rings: StoredPlan = {
  ...defaultPlan,
  waves: [
    { name: 'first', groups: ['ring-1'], soak: '5s' },
    { name: 'all', share: 100, soak: '0s' },
  ],
  maxInFlight: 2,
}
export const atOnce: StoredPlan = { ...defaultPlan, maxInFlight: 3 }

type Network = 'lost' | 'cut' | 'twice' | 'slow'

/** Everybody and everything of one simulated world, and what can be done to it. */
export class World {
  readonly scheduler: Scheduler
  readonly db = new Database()
  readonly truth = emptyTruth()
  readonly watch: Watch
  readonly commands: Commands
  readonly windows: WindowWatch
  readonly cast: Cast
  readonly start: number
  readonly sites = new Map<string, Site>()
  readonly managers = new Map<string, Manager>()
  readonly agents = new Map<string, RunningAgent>()
  readonly databaseTroubles: DatabaseTroubles = { away: 0, mute: 0 }
  readonly networks = new Map<string, { how: Network; until: number }[]>()
  deafUntil = 0
  readonly #seams: Seams
  readonly #skews = new Map<string, number>()
  readonly #lives = new Map<string, number>()

  constructor(seed: number, cast: Cast, seams: Seams = noSeams) {
    this.#seams = seams
    this.cast = cast
    this.scheduler = new Scheduler(seed)
    this.start = this.scheduler.now
    this.watch = new Watch(this.scheduler, this.truth, this.db, cast)
    const { scheduler, truth } = this
    const fail = (...given: [string, string]) => this.watch.fail(...given)
    this.commands = new Commands({ scheduler, truth, seams: seams.commands, fail })
    const of = (id: string) => {
      const one = cast.deployments.find((each) => each.id === id)
      return one?.maintenance && !this.watch.calm ? one.maintenance : null
    }
    this.windows = new WindowWatch({ scheduler, of, fail })
    this.db.notify = (topic) => this.#notify(topic)
    this.scheduler.onKilled = (life) => this.#buried(life)
    const first = this.publish('good')
    for (const one of cast.deployments) this.#settle(one, first)
    this.db.createRollout(first, atOnce, this.scheduler.now)
    for (let index = 0; index < cast.managers; index++) this.startProcess(`manager${index}`)
    for (const { id, model } of cast.deployments) if (model !== 'push') this.startProcess(`agent-${id}`)
  }

  row(id: string): DeploymentRow {
    return this.db.deployment(id)
  }

  site(id: string): Site {
    const site = this.sites.get(id)
    if (!site) throw new RangeError(`no site ${id}`)
    return site
  }

  /** A new release: what it asks for beside earlier ones is what its kind says. */
  publish(kind: Kind, channel: Channel = 'stable'): SimRelease {
    const all = [...this.db.releases.values()]
    const frozen = all.filter((release) => release.kind === 'setup').length + (kind === 'setup' ? 1 : 0)
    const release = makeRelease(`1.${all.length}.0`, all.length + 1, kind, frozen, channel)
    this.db.releases.set(release.digest, release)
    this.truth.kinds.set(release.version, kind)
    return release
  }

  /** Frozen resources beyond the first that a release asks for. */
  frozenIn(digest: string): number {
    const release = this.db.releases.get(digest)
    return release?.manifest.resources.filter(({ name }) => name.startsWith('more')).length ?? 0
  }

  applySetup(id: string, release: string): void {
    const row = this.row(id)
    if (row.deleted || row.setupRelease === release) return
    this.truth.setups.set(id, Math.max(this.truth.setups.get(id) ?? 0, this.frozenIn(release)))
    row.setupRelease = release
    this.db.bump(row, this.scheduler.now)
  }

  /** Life of a process that runs now; undefined while it is down. */
  life(process: string): Life | undefined {
    return (this.managers.get(process) ?? this.agents.get(process))?.life
  }

  startProcess(process: string): void {
    if (this.life(process)) return
    const number = (this.#lives.get(process) ?? 0) + 1
    this.#lives.set(process, number)
    const life = new Life(process, this.#skews.get(process) ?? 0)
    const seed = this.scheduler.chance(`life ${process} ${number}`).between(1, 1_000_000_000)
    const common = { scheduler: this.scheduler, life, seed, ...this.#wraps() }
    if (process.startsWith('manager')) {
      const { store, fleet, sync } = this.#seams
      const { db, databaseTroubles: troubles } = this
      const site = (id: string) => this.site(id)
      const watched: typeof fleet = {
        ...fleet,
        onTell: (...given) => this.watch.fleet.told(...given, this.scheduler.now),
        onLook: (rollout, before) => this.watch.fleet.looked(rollout, before),
      }
      const heard: typeof sync = {
        ...sync,
        onTaken: (row, report, before) => {
          if (report.number <= before)
            this.watch.fail('a report is taken once, in order', `${row.id}: ${report.number} after ${before}`)
        },
      }
      const watchStore: Parameters<typeof startManager>[0]['watchStore'] = (inner) =>
        this.windows.store(this.watch.store(inner, site), life)
      this.managers.set(
        process,
        startManager({
          ...common,
          ...{ db, troubles, site, store, fleet: watched, sync: heard, watchStore, commands: this.commands },
        }),
      )
      return
    }
    const id = process.slice('agent-'.length)
    const model = this.row(id).model as 'pull' | 'airgapped'
    const site = this.site(id)
    try {
      const agent = startAgent({
        ...common,
        ...{ site, deployment: id, model, agreed: this.#agreed(id), policy: this.row(id).policy },
        send: this.#sender(life, id),
        wrapOrders: this.#seams.wrapOrders,
        wrapState: this.#seams.wrapState,
        invoker: this.commands.invoker(site, life),
        commands: this.#seams.commands,
        releaseOf: (digest) => this.db.releases.get(digest) as SimRelease,
        watchStore: (inner) =>
          this.windows.store(
            this.watch.store(inner, () => site),
            life,
          ),
      })
      if (!life.dead) this.agents.set(process, agent)
    } catch (error) {
      if (!life.dead) throw error
    }
  }

  skew(process: string, ms: number): void {
    this.truth.skewed = true
    this.#skews.set(process, ms)
    const life = this.life(process)
    if (life) life.skew = ms
  }

  /** A bundle as it is made now, and an export as the site writes it now; null where it can't be. */
  bundle(id: string): Bundle | null {
    const row = this.row(id)
    const wanted = [row.target, row.state?.stable, row.setupRelease ? { release: row.setupRelease } : null]
    const releases = wanted.flatMap((target) => (target ? (this.db.releases.get(target.release) ?? []) : []))
    return {
      releases,
      order: JSON.parse(JSON.stringify(buildOrder(this.db, row, this.#seams.sync))),
      copy: row.copy.number,
      commands: this.commands.carried(id),
      taken: row.reported,
    }
  }

  takeBundle(id: string, bundle: Bundle): boolean {
    const agent = this.agents.get(`agent-${id}`)
    if (!agent || agent.life.frozenUntil > this.scheduler.now) return false
    try {
      agent.import(bundle)
      return true
    } catch (error) {
      if (!agent.life.dead && !LandfallError.is(error)) throw error
      return false
    }
  }

  takeExport(id: string, report: Parameters<typeof acceptReport>[2]): void {
    const { sync } = this.#seams
    try {
      const heard: typeof sync = {
        ...sync,
        onTaken: (row, taken, before) => {
          if (taken.number <= before)
            this.watch.fail('a report is taken once, in order', `${row.id}: ${taken.number} after ${before}`)
        },
      }
      acceptReport(this.db, this.row(id), report, 'export', this.scheduler.now, heard, this.commands)
    } catch (error) {
      // Links that are missing in between: the next export brings them.
      if (!LandfallError.is(error, 'E_AUDIT_GAP')) throw error
    }
  }

  tell(id: string, release: string, why: string): void {
    const row = this.row(id)
    const target: Target = this.db.prepare(row, release)
    if (row.target?.digest !== target.digest) this.db.tell(row, target, null, 'vendor', why, this.scheduler.now)
  }

  #wraps() {
    const { wrapStore, wrapPlatform, release } = this.#seams
    return { wrapStore, wrapPlatform, release }
  }

  #agreed(id: string) {
    const known = this.cast.deployments.find((one) => one.id === id)
    const { consent } = known ?? { consent: 'automatic' }
    const windows = known?.maintenance?.windows ?? []
    const approvals = consent === 'agent' ? 'agent' : 'portal'
    return customerSettings.parse(consent === 'automatic' ? { windows } : { updates: 'approval', approvals, windows })
  }

  #settle({ id, model, group, traffic, maintenance }: Cast['deployments'][number], first: SimRelease): void {
    const site = new Site(id, this.scheduler, (what) => {
      this.scheduler.note(`${id} ${what}`)
      this.watch.changed(site, what)
    })
    site.onVersion = (worker, version) => this.watch.asked(id, worker, version)
    site.platform.requestsPerSecond = traffic ? 200 : 0
    site.platform.behaviour = (worker, version) =>
      behaviourOf(this.truth.kinds.get(version) ?? 'good', this.watch.servesAllMs(id, worker, version))
    this.sites.set(id, site)
    const airgapped = model === 'airgapped'
    this.db.deployments.set(id, {
      ...{
        id,
        channel: 'stable',
        group,
        model,
        prefix: 'x',
        environment: {},
        pinned: null,
        operation: 'run',
        setupRelease: first.digest,
        target: null,
        rollout: null,
      },
      ...{
        level: 1,
        requested: 1,
        requestedAt: this.start,
        observed: 0,
        wakeAt: null,
        owner: null,
        until: 0,
        epoch: 0,
      },
      ...{ state: null, lastSeenAt: model === 'pull' ? this.start : null, deleted: false, customer: this.#agreed(id) },
      policy: { drift: 'correct', windowClose: maintenance?.windowClose ?? 'finish', trustedKeys: ['vendor'] },
      ...{ controls: [], answers: [], told: [], chain: [], reported: 0, copied: [] },
      copy: { number: 0, hash: genesis(agentChain(id)) },
    })
    if (airgapped) this.tell(id, first.digest, 'A bundle was made')
  }

  #notify(topic: Topic): void {
    if (this.deafUntil > this.scheduler.now) return
    for (const { life } of this.managers.values())
      this.scheduler.after(this.scheduler.chance(`wake-up ${life.name}`).between(1, 40), life, `hear ${topic}`, () =>
        this.managers.get(life.name)?.hear(topic),
      )
  }

  #buried(life: Life): void {
    this.managers.delete(life.name)
    this.agents.delete(life.name)
    life.ended.abort(new Error('killed'))
  }

  /** The network between one agent and the managers. */
  #sender(life: Life, id: string): Send {
    const { scheduler } = this
    const chance = scheduler.chance(`network ${id}`)
    const unreachable = () =>
      new LandfallError({ code: 'E_UNREACHABLE', message: 'No answer came', hint: 'Tried again.', retryable: true })
    const has = (how: Network) =>
      (this.networks.get(id) ?? []).some((one) => one.how === how && one.until > scheduler.now)
    const way = async (label: string) => {
      const ms = has('slow') ? chance.between(10, 8_000) : chance.between(2, 60)
      await scheduler.hop(life, ms, `${id} ${label}`)
    }
    return async (path, body, timeoutMs) => {
      const sent = JSON.stringify(body ?? null)
      await way(`${path}>`)
      if (has('cut')) throw unreachable()
      if (has('lost') && chance.of(0.4)) {
        await scheduler.hop(life, Math.min(timeoutMs, 5_000), `${id} lost`)
        throw unreachable()
      }
      const up = [...this.managers.values()]
      const manager = up[chance.between(0, Math.max(0, up.length - 1))]
      if (!manager) throw unreachable()
      if (path === 'release') {
        const { digest } = JSON.parse(sent) as { digest: string }
        await way('release<')
        return { status: this.db.releases.has(digest) ? 200 : 404, body: {} }
      }
      const answered = manager.sync(JSON.parse(sent), id)
      if (has('twice') && path === 'sync' && chance.of(0.5)) {
        scheduler.after(chance.between(10, 20_000), manager.life, `${id} again`, () => {
          manager.sync(JSON.parse(sent), id).catch(() => {})
        })
      }
      const over = new AbortController()
      const late = scheduler
        .clockOf(life)
        .sleep(timeoutMs, over.signal)
        .then(
          () => null,
          () => null,
        )
      const answer = await Promise.race([answered.catch(() => null), late])
      over.abort()
      await way(`${path}<`)
      if (answer === null || has('cut') || (has('lost') && chance.of(0.3))) throw unreachable()
      return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body)) as unknown }
    }
  }
}
