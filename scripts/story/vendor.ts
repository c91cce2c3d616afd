import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createKeys, readKey } from '@landfall/cli/keys'
import { publishRelease } from '@landfall/cli/publish'
import { createSessionFetch } from '@landfall/cli/session'
import { type Client, createClient } from '@landfall/contract'
import { landfall } from './landfall.ts'
import type { ManagerProcess } from './manager-process.ts'

export const project = 'acme-invoices'
export const waves = [
  { name: 'ring-1', groups: ['ring-1'], soak: '2s' },
  { name: 'ring-2', groups: ['ring-2'], soak: '1s' },
]
const example = join(import.meta.dirname, '..', '..', 'examples', 'invoices')
export const account = { email: 'vendor@example.com', password: 'correct horse battery' }

/** The vendor's engineer: an account, a project with keys on this machine, rings, a plan. */
export class Vendor {
  readonly client: Client
  readonly url: string
  readonly project = project
  /** The vendor's own place: keys, what goes out to sites, what comes back. */
  readonly directory: string
  readonly environment: Record<string, string>

  private constructor(client: Client, url: string, directory: string, environment: Record<string, string>) {
    this.client = client
    this.url = url
    this.directory = directory
    this.environment = environment
  }

  /** Runs `landfall …` as the vendor's engineer. */
  landfall(argv: readonly string[]): Promise<unknown> {
    return landfall(argv, { environment: this.environment })
  }

  static async arrive(manager: ManagerProcess, directory: string): Promise<Vendor> {
    const token = await bootstrap(manager)
    const client = createClient({ url: manager.url, token })
    const own = join(directory, 'vendor')
    for (const box of ['in', 'out']) mkdirSync(join(own, box), { recursive: true })
    const environment = {
      LANDFALL_HOME: own,
      LANDFALL_URL: manager.url,
      LANDFALL_TOKEN: token,
      LANDFALL_PROJECT: project,
    }
    const keys = await createKeys(environment, project, Date.now())
    await client.createProject({ body: { name: project, rootPublicKey: keys.rootPublicKey, keyset: keys.keyset } })
    for (const group of ['ring-1', 'ring-2', 'sites']) await client.putGroup({ params: { project, group }, body: {} })
    await client.putChannel({
      params: { project, channel: 'stable' },
      body: {
        plan: { waves, maxInFlight: 10, minSuccess: 100, maxFailures: 1, onFailure: 'abort', rollbackReached: true },
      },
    })
    return new Vendor(client, manager.url, own, environment)
  }

  /** `landfall release --version VERSION` with the example's sources of that version; resolves with the rollout's id. */
  async release(version: string): Promise<string> {
    process.env.INVOICES_VERSION = version
    process.env.INVOICES_PACE = 'demo'
    const { rollout } = await publishRelease({
      client: this.client,
      project,
      directory: example,
      version,
      channel: 'stable',
      signer: await readKey(this.environment, project, 'vendor'),
      rollout: true,
      now: Date.now(),
    })
    if (!rollout) throw new Error(`release ${version} started no rollout`)
    return rollout
  }
}

/** Makes the first account from the one-time link, as the browser would, and an API token for the rest. */
async function bootstrap(manager: ManagerProcess): Promise<string> {
  const secret = new URL(manager.bootstrap).searchParams.get('token') ?? ''
  const client = createClient({ url: manager.url, fetch: createSessionFetch(manager.url) })
  await client.bootstrap({
    body: { token: secret, email: account.email, name: 'The vendor', password: account.password },
  })
  const { secret: token } = await client.createOwnToken({ body: { name: 'story', expiresInDays: 1 } })
  return token
}
