import { join } from 'node:path'
import { createKeys, readKey } from '@landfall/cli/keys'
import { publishRelease } from '@landfall/cli/publish'
import { createSessionFetch } from '@landfall/cli/session'
import { type Client, createClient } from '@landfall/contract'

export const project = 'shop'
export const person = { email: 'mira@example.com', name: 'Mira', password: 'correct horse battery' }

/** The vendor's engineer at the terminal, beside the browser: signed in with the account that the browser made. */
export class Shop {
  readonly client: Client
  readonly #environment: Record<string, string>

  private constructor(client: Client, environment: Record<string, string>) {
    this.client = client
    this.#environment = environment
  }

  static async signIn(url: string, directory: string): Promise<Shop> {
    const session = createClient({ url, fetch: createSessionFetch(url) })
    await session.login({ body: { email: person.email, password: person.password } })
    const { secret } = await session.createOwnToken({ body: { name: 'terminal', expiresInDays: 1 } })
    return new Shop(createClient({ url, token: secret }), { LANDFALL_HOME: join(directory, 'vendor') })
  }

  /** The project, with its keys on this machine and two groups. */
  async open(): Promise<void> {
    const { rootPublicKey, keyset } = await createKeys(this.#environment, project, Date.now())
    await this.client.createProject({ body: { name: project, rootPublicKey, keyset } })
    for (const group of ['early', 'late']) await this.client.putGroup({ params: { project, group }, body: {} })
  }

  /** `landfall release` in two waves, of which the first is held for `soak`; resolves with the rollout's id. */
  async release(version: string, soak: string): Promise<string> {
    process.env.SHOP_VERSION = version
    const waves = [
      { name: 'early', groups: ['early'], soak },
      { name: 'late', groups: ['late'], soak: '0s' },
    ]
    const { rollout } = await publishRelease({
      client: this.client,
      project,
      directory: join(import.meta.dirname, 'shop'),
      version,
      channel: 'stable',
      plan: { waves, maxInFlight: 10, minSuccess: 100, maxFailures: 1 },
      signer: await readKey(this.#environment, project, 'vendor'),
      rollout: true,
      now: Date.now(),
    })
    return rollout ?? ''
  }

  /** `customer`: what was agreed with the customer; by default updates come by themselves. */
  async deploy(name: string, group: string, customer: { updates?: 'automatic' | 'approval' } = {}): Promise<void> {
    const secrets = { 'mail-key': `the first key of ${name}` }
    const body = { name, group, platform: 'local' as const, secrets, customer }
    await this.client.createDeployment({ params: { project }, body })
  }

  /** Where a deployment's users find it. */
  async address(deployment: string): Promise<string> {
    const { workers } = await this.client.getDeployment({ params: { project, deployment } })
    const url = workers.find((worker) => worker.url)?.url
    if (!url) throw new Error(`${deployment} has no address`)
    return url
  }
}
