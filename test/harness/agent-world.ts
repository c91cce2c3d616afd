import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Agent, type AgentStatus, startAgent } from '@landfall/agent'
import { type AgentSetup, type Client, createClient } from '@landfall/contract'
import { backupInstallation, type Manager, restoreInstallation, startManager } from '@landfall/manager'
import { createVendor, startTestServer, type TestServer } from '@landfall/manager/testing'
import type { CommandDefinition, RolloutPlanInput } from '@landfall/stack'
import { firstToken } from './first-token.ts'
import { shopRelease } from './shop-release.ts'
import { stopEnvironment } from './stop-environment.ts'

const project = 'shop'
/** Waiting is short, so that a manager that stops holds nobody long. */
const poll = { waitMs: 5_000, intervalMs: 1_000, jitterMs: 100 }

/** A worker that answers with its version and what it was given; every `failEvery`th request is answered with 500 (0: none). */
const source = (version: string, failEvery: number) => `
import { createServer } from 'node:http'
let count = 0
const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  if (${failEvery} > 0 && ++count % ${failEvery} === 0) response.statusCode = 500
  response.end('${version} ' + (process.env.TOKEN ?? ''))
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`

/** A real manager on a real database with a vendor's project, for tests of agents; agents and their environments go with it. */
export class AgentWorld {
  readonly directory: string
  readonly client: Client
  readonly vendor: ReturnType<typeof createVendor>
  manager: Manager
  /** Address of the manager's database. */
  database: string
  readonly #server: TestServer
  readonly #agents = new Set<Agent>()
  readonly #environments: AgentSetup['deployment'][] = []
  #sequence = 0
  #made = 0

  private constructor(made: {
    directory: string
    client: Client
    vendor: ReturnType<typeof createVendor>
    manager: Manager
    database: string
    server: TestServer
  }) {
    this.directory = made.directory
    this.client = made.client
    this.vendor = made.vendor
    this.manager = made.manager
    this.database = made.database
    this.#server = made.server
  }

  /** @param agents how the manager has agents ask; `{}`: as it does by itself */
  static async start(agents: Partial<typeof poll> = poll): Promise<AgentWorld> {
    const server = await startTestServer()
    const directory = await mkdtemp(join(tmpdir(), 'landfall-agents-'))
    const { url: database } = await server.empty()
    const manager = await startManager({
      dataDir: directory,
      port: 0,
      databaseUrl: database,
      webDirectory: null,
      agents,
    })
    const token = await firstToken(manager)
    const client = createClient({ url: manager.url, token })
    const vendor = createVendor(project, Date.now())
    const body = { name: project, rootPublicKey: vendor.root.publicKey, keyset: await vendor.keyset(1) }
    await client.createProject({ body })
    return new AgentWorld({ directory, client, vendor, manager, database, server })
  }

  get port(): number {
    return Number(new URL(this.manager.url).port)
  }

  /** The same manager again, at its address. */
  async restartManager(): Promise<void> {
    const { port } = this
    await this.manager.stop()
    await this.startAgain(port)
  }

  async startAgain(port: number): Promise<void> {
    this.manager = await startManager({
      dataDir: this.directory,
      port,
      databaseUrl: this.database,
      webDirectory: null,
      agents: poll,
    })
  }

  /** Publishes a release of one worker `api`; reaches nobody by itself. */
  async publish(
    version: string,
    more: {
      failEvery?: number
      rollout?: RolloutPlanInput
      ballast?: number
      code?: string
      commands?: Readonly<Record<string, CommandDefinition>>
    } = {},
  ) {
    const { envelope, blob, bytes } = await shopRelease({
      project,
      version,
      sequence: ++this.#sequence,
      key: this.vendor.key,
      files: {
        'index.mjs': more.code ?? source(version, more.failEvery ?? 0),
        ...(more.ballast ? { 'ballast.txt': randomBytes(more.ballast / 2).toString('hex') } : {}),
      },
      rollout: more.rollout,
      commands: more.commands,
    })
    await this.client.putBlob({ params: { project, digest: blob }, body: bytes })
    const { release } = await this.client.createRelease({ params: { project }, body: { envelope, rollout: 'none' } })
    return { digest: release.digest, blob, envelope, bytes }
  }

  /** Hands in once more what was published before, as a vendor's CI keeps it. */
  async publishAgain({ blob, bytes, envelope }: Awaited<ReturnType<AgentWorld['publish']>>): Promise<void> {
    await this.client.putBlob({ params: { project, digest: blob }, body: bytes })
    await this.client.createRelease({ params: { project }, body: { envelope, rollout: 'none' } })
  }

  /** While the manager runs. */
  async backup(name: string): Promise<string> {
    const out = join(this.directory, name)
    await backupInstallation({ ...this.#installation(this.database), out, includeMasterKey: false, telemetry: true })
    return out
  }

  /** The manager goes, and comes back at its address on a new database with what the backup holds. */
  async restore(file: string): Promise<void> {
    const { port } = this
    await this.manager.stop()
    const { url } = await this.#server.empty()
    await restoreInstallation({ ...this.#installation(url), file })
    this.database = url
    await this.startAgain(port)
  }

  #installation(databaseUrl: string) {
    const secret = { kind: 'key' as const, key: this.key }
    return { dataDir: this.directory, databaseUrl, masterKeyFile: null, secret, now: Date.now() }
  }

  of(deployment: string) {
    return { project, deployment }
  }

  async deploy(name: string, more: object = {}): Promise<AgentSetup> {
    await this.client.createDeployment({
      params: { project },
      body: { name, platform: 'local', model: 'pull', setup: true, secrets: { token: `secret-of-${name}` }, ...more },
    })
    return this.setUp(name)
  }

  async setUp(name: string, body: { replace?: boolean; url?: string } = {}): Promise<AgentSetup> {
    const setup = await this.client.createAgentSetup({ params: this.of(name), body })
    this.#environments.push(setup.deployment)
    return setup
  }

  async tell(name: string, version: string): Promise<void> {
    await this.client.updateDeployment({ params: this.of(name), body: { pin: version } })
  }

  view(name: string) {
    return this.client.getDeployment({ params: this.of(name) })
  }

  /** A new directory, for an agent. */
  site(): string {
    return join(this.directory, `site-${++this.#made}`)
  }

  async agent(options: Omit<Parameters<typeof startAgent>[0], 'key'> & { key?: Buffer }): Promise<Agent> {
    const agent = await startAgent({
      key: this.key,
      limits: { rolloutTickMs: 100, lingerMs: 2_000 },
      ...options,
    })
    this.#agents.add(agent)
    return agent
  }

  readonly key = Buffer.alloc(32, 9)

  async stop(): Promise<void> {
    for (const agent of this.#agents) await agent.stop()
    for (const deployment of this.#environments) {
      await stopEnvironment(deployment)
      // Where the setup names no place, an agent puts it beside its own files; a daemon answers to its own deployment alone.
      for (let site = 1; site <= this.#made; site++) {
        const environment = { directory: join(this.directory, `site-${site}`, 'environment') }
        await stopEnvironment({ ...deployment, environment })
      }
    }
    await this.manager.stop()
    await this.#server.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Waits for what must come; the test's own limit ends a wait in vain. */
export async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look().catch(() => null)
    if (seen !== null && holds(seen)) return seen
    await sleep(50)
  }
}

export const rests = (version: string) => (status: AgentStatus) =>
  status.state?.phase === 'running' && status.explanation?.onTarget === true && version !== ''
