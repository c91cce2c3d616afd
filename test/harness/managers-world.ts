import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agent, startAgent } from '@landfall/agent'
import { type Client, createClient } from '@landfall/contract'
import { createVendor } from '@landfall/manager/testing'
import { LandfallError, type Model, type RolloutPlanInput } from '@landfall/stack'
import { until } from './agent-world.ts'
import { Balancer } from './balancer.ts'
import { CarriedSite } from './carried-site.ts'
import { DatabaseProxy } from './database-proxy.ts'
import { runningIn } from './environments.ts'
import { firstToken } from './first-token.ts'
import { freePort, ManagerProcess } from './manager-process.ts'
import { shopRelease } from './shop-release.ts'
import { stopEnvironment } from './stop-environment.ts'
import { brokenChains } from './verify-chains.ts'
import { strayWrites, Witness } from './witness.ts'

export const project = 'shop'

/** Two steps of some seconds: long enough to be hit in the middle. */
const canary: RolloutPlanInput = {
  strategy: 'canary',
  steps: [
    { share: 30, bake: '2s' },
    { share: 60, bake: '2s' },
  ],
  onNoData: 'promote-on-health',
}

export interface WorldOptions {
  managers: number
  /** Push deployments, and deployments that an agent runs, with and without a network. */
  push: number
  pull: number
  airgapped?: number
  /** Where the database is; the world reaches it by a proxy. */
  database: string
}

/** Managers as real processes over one PostgreSQL, behind a balancer, with a fleet; everything is reached as users reach it. */
export class ManagersWorld {
  readonly directory: string
  readonly balancer: Balancer
  readonly proxy: DatabaseProxy
  readonly managers: readonly ManagerProcess[]
  readonly witness: Witness
  /** By the balancer. */
  readonly client: Client
  readonly token: string
  /** Where the database is now. */
  database: string
  readonly deployments: { id: string; name: string; directory: string; model: Model }[] = []
  readonly #vendor: ReturnType<typeof createVendor>
  readonly #agents: Agent[] = []
  readonly #sites: CarriedSite[] = []
  #sequence = 0

  private constructor(made: {
    directory: string
    balancer: Balancer
    proxy: DatabaseProxy
    managers: readonly ManagerProcess[]
    database: string
    token: string
    vendor: ReturnType<typeof createVendor>
  }) {
    this.directory = made.directory
    this.balancer = made.balancer
    this.proxy = made.proxy
    this.managers = made.managers
    this.database = made.database
    this.token = made.token
    this.#vendor = made.vendor
    this.client = createClient({ url: made.balancer.url, token: made.token })
    this.witness = new Witness(() => this.database)
  }

  static async start(options: WorldOptions): Promise<ManagersWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-several-'))
    const balancer = await Balancer.start()
    const proxy = await DatabaseProxy.start(await asRole(options.database))
    const settings = { directory, databaseUrl: proxy.url, publicUrl: balancer.url }
    const managers: ManagerProcess[] = []
    for (let number = 1; number <= options.managers; number++) {
      managers.push(new ManagerProcess(`manager-${number}`, await freePort(), settings))
    }
    const [first, ...others] = managers
    if (!first) throw new Error('a world needs a manager')
    await first.start()
    balancer.add(first.port)
    const token = await firstToken(first)
    const vendor = createVendor(project, Date.now())
    const made = { directory, balancer, proxy, managers, database: options.database, token, vendor }
    const world = new ManagersWorld(made)
    try {
      await world.#furnish(others, options)
      return world
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  /** The other managers, the project and its fleet. */
  async #furnish(others: readonly ManagerProcess[], options: WorldOptions): Promise<void> {
    await this.witness.install()
    await Promise.all(others.map((manager) => manager.start()))
    for (const { port } of others) this.balancer.add(port)
    await until(
      async () => this.balancer.ready.length,
      (ready) => ready === this.managers.length,
    )
    const body = { name: project, rootPublicKey: this.#vendor.root.publicKey, keyset: await this.#vendor.keyset(1) }
    await this.client.createProject({ body })
    await this.client.putChannel({
      params: { project, channel: 'stable' },
      body: {
        plan: {
          waves: [
            { name: 'first', share: 50, soak: '500ms' },
            { name: 'rest', share: 100 },
          ],
        },
      },
    })
    await this.release('1.0.0')
    for (let number = 1; number <= options.push; number++) await this.#deploy(`push-${number}`, 'push')
    for (let number = 1; number <= options.pull; number++) await this.#deploy(`pull-${number}`, 'pull')
    for (let number = 1; number <= (options.airgapped ?? 0); number++) await this.#deploy(`site-${number}`, 'airgapped')
    await this.arrived('1.0.0')
    await this.carry('1.0.0')
  }

  /** Whom the managers are for PostgreSQL. */
  get role(): string {
    return new URL(this.proxy.url).username
  }

  /** Publishes a release and rolls it out by the channel's plan. Answers the rollout's id. */
  async release(version: string): Promise<string> {
    const { envelope, blob, bytes } = await shopRelease({
      project,
      version,
      sequence: ++this.#sequence,
      key: this.#vendor.key,
      files: { 'index.mjs': source(version, join(this.directory, 'starts')) },
      rollout: canary,
    })
    const { client } = this
    await persist(() => client.putBlob({ params: { project, digest: blob }, body: bytes }))
    const key = crypto.randomUUID()
    const body = { envelope, rollout: 'start' as const }
    const made = await persist(() => client.createRelease({ params: { project }, body }, { idempotencyKey: key }))
    return made.rollout ?? ''
  }

  /**
   * Brings a version to every site without a network, by a bundle of one manager, and back what it says, to others: each of them by the
   * balancer where none is named.
   */
  async carry(version: string, by: { from?: Client; to?: readonly Client[] } = {}): Promise<void> {
    for (const site of this.#sites) {
      await site.bring(version, by.from ?? this.client, this.#vendor.key)
      await site.handBack(...(by.to ?? [this.client, this.client]))
    }
  }

  /** A client of one manager, past the balancer. */
  clientOf(manager: ManagerProcess): Client {
    return createClient({ url: manager.url, token: this.token })
  }

  /** Waits until the whole fleet rests on this version, but for what is carried. */
  async arrived(version: string): Promise<void> {
    await until(
      async () => (await this.client.listDeployments({ params: { project } })).items,
      (items) =>
        items.length === this.deployments.length &&
        items.every(
          (one) =>
            one.model === 'airgapped' ||
            (one.phase === 'running' && one.actual?.version === version && one.health === 'healthy'),
        ),
    )
  }

  /** Who holds the lease of a push deployment that is on its way to a version, as soon as there is one. */
  async midRollout(version: string, not: readonly string[] = []) {
    const look = () =>
      this.witness.query<{ id: string; owner: string; epoch: string }>(
        `select id, lease_owner as owner, lease_epoch as epoch from deployments
         where model = 'push' and lease_owner is not null and state->'candidate' <> 'null'
           and exists (select from releases r where r.version = $1 and r.digest = state->'candidate'->>'release')`,
        [version],
      )
    const rows = await until(look, (found) => found.some(({ owner }) => !not.includes(this.#byOwner(owner).name)))
    const row = rows.find(({ owner }) => !not.includes(this.#byOwner(owner).name))
    if (!row) throw new Error('unreachable')
    return { deployment: row.id, epoch: Number(row.epoch), manager: this.#byOwner(row.owner) }
  }

  #byOwner(owner: string): ManagerProcess {
    const pid = Number(owner.split(':').at(-2))
    const found = this.managers.find((manager) => manager.pid === pid)
    return (
      found ?? new ManagerProcess(`gone (${owner})`, 0, { directory: this.directory, databaseUrl: '', publicUrl: '' })
    )
  }

  /** Addresses of the workers of every deployment, as their users reach them. */
  async userUrls(): Promise<string[]> {
    const details = this.deployments.map(({ name }) =>
      this.client.getDeployment({ params: { project, deployment: name } }),
    )
    const urls = (await Promise.all(details)).flatMap((one) => one.workers.map(({ url }) => url ?? ''))
    return urls.filter((url) => url !== '')
  }

  /** What does not hold after a scenario, in words; nothing: all is well. */
  async broken(version: string): Promise<string[]> {
    const wrong: string[] = []
    const { items } = await this.client.listDeployments({ params: { project } })
    for (const one of items) {
      const due = this.#sites.find(({ name }) => name === one.name)?.version ?? version
      if (one.actual?.version !== due || one.target?.digest !== one.actual.digest) {
        wrong.push(`${one.name} is at ${one.actual?.version}, told ${one.target?.version}`)
      }
    }
    wrong.push(...(await brokenChains(this.witness)))
    wrong.push(...strayWrites(await this.witness.writes()))
    wrong.push(...(await this.#twice()))
    for (const { name, directory } of this.deployments) {
      const running = await runningIn(directory)
      if (running.daemons.length !== 1) wrong.push(`${name} has ${running.daemons.length} daemons`)
      if (running.workers.length !== 1) wrong.push(`${name} has ${running.workers.length} processes of workers`)
    }
    return wrong
  }

  /** Starts of one version in one environment, and creations of one resource, that happened more than once. */
  async #twice(): Promise<string[]> {
    const starts = (await readFile(join(this.directory, 'starts'), 'utf8')).trim().split('\n')
    const started = Object.entries(Object.groupBy(starts, (line) => line)).filter(([, times]) => times?.length !== 1)
    const made = await this.witness.query<{ deployment: string; what: string; times: string }>(
      `select deployment, type || ' ' || coalesce(resource, data->>'target') as what, count(*) as times from audit_entries
       where deployment is not null and type in ('resource.created', 'area.opened')
       group by 1, 2 having count(*) > 1`,
    )
    return [
      ...started.map(([line, times]) => `started ${times?.length} times: ${line}`),
      ...made.map(({ deployment, what, times }) => `${deployment}: ${what} ${times} times`),
    ]
  }

  async #deploy(name: string, model: Model): Promise<void> {
    const directory = join(this.directory, name)
    const secrets = { token: `secret-of-${name}` }
    const body = { name, platform: 'local', model, environment: { directory }, secrets } as const
    const { id } = await this.client.createDeployment({ params: { project }, body })
    this.deployments.push({ id, name, directory, model })
    if (model === 'push') return
    const setup = await this.client.createAgentSetup({ params: { project, deployment: name }, body: {} })
    if (model === 'airgapped') {
      this.#sites.push(await CarriedSite.start(setup, directory, this.client, persist))
      return
    }
    this.#agents.push(
      await startAgent({ directory: join(this.directory, `site-${name}`), key: Buffer.alloc(32, 9), setup }),
    )
  }

  /** Ends everything, whatever state it is in. Says where the logs are only to who keeps the directory. */
  async stop(): Promise<void> {
    for (const agent of [...this.#agents, ...this.#sites]) await agent.stop()
    for (const manager of this.managers) manager.wake()
    await Promise.all(this.managers.map((manager) => manager.stop()))
    for (const { id, name, directory } of this.deployments) {
      const environment = { directory }
      await stopEnvironment({ id, name, project, prefix: '', platform: 'local', model: 'push', environment })
    }
    this.balancer.stop()
    this.proxy.stop()
    const { role } = this
    for (const step of [`reassign owned by ${role} to current_user`, `drop owned by ${role}`, `drop role ${role}`]) {
      // A scenario that broke off may have left no database.
      await this.witness.query(step).catch(() => {})
    }
    const keep = process.env.LANDFALL_KEEP_LOGS
    if (keep) for (const { log } of this.managers) appendFileSync(keep, await readFile(log).catch(() => ''))
    await rm(this.directory, { recursive: true, force: true })
  }
}

/**
 * The database as a role of its own that owns it and nothing else, as an operator gives it to managers: unlike a superuser's, its
 * connections can be limited.
 */
async function asRole(database: string): Promise<string> {
  const url = new URL(database)
  const role = `landfall_${randomBytes(4).toString('hex')}`
  const witness = new Witness(() => database)
  await witness.query(`create role ${role} login password '${role}'`)
  await witness.query(`alter database ${url.pathname.slice(1)} owner to ${role}`)
  url.username = role
  url.password = role
  return url.href
}

/** Calls again, as clients do, while the answer says that it may be right later; at most a minute and a half. */
async function persist<T>(call: () => Promise<T>): Promise<T> {
  const until = Date.now() + 90_000
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const retryable = LandfallError.is(error) && error.retryable
      if (!retryable || Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

/** A worker that answers with its version, and notes each of its starts in a file: a line per process. */
const source = (version: string, starts: string) => `
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
appendFileSync(${JSON.stringify(starts)}, process.env.LANDFALL_AREA + ' ${version}\\n')
const server = createServer((request, response) => response.end('${version}'))
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`
