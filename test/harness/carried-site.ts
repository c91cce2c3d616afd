import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Agent, startAgent } from '@landfall/agent'
import { type AgentSetup, type Client, orderAttachment } from '@landfall/contract'
import { createBundle, type SigningKey } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'
import { rests, until } from './agent-world.ts'

/** Calls again while the answer says that it may be right later. */
export type Persist = <T>(call: () => Promise<T>) => Promise<T>

/** A deployment without network: its agent, and the person who carries files between it and the vendor. */
export class CarriedSite {
  readonly name: string
  /** The newest version that was brought and told back. */
  version: string | null = null
  readonly #agent: Agent
  readonly #setup: AgentSetup
  readonly #directory: string
  readonly #persist: Persist
  #files = 0

  private constructor(agent: Agent, setup: AgentSetup, directory: string, persist: Persist) {
    this.name = setup.deployment.name
    this.#agent = agent
    this.#setup = setup
    this.#directory = directory
    this.#persist = persist
  }

  /** Its keys are bound by its first export. */
  static async start(setup: AgentSetup, directory: string, client: Client, persist: Persist): Promise<CarriedSite> {
    const site = `${directory}-site`
    const agent = await startAgent({ directory: site, key: Buffer.alloc(32, 9), setup })
    const made = new CarriedSite(agent, setup, site, persist)
    await made.handBack(client)
    return made
  }

  /** Brings a release: order and content from the vendor, by a bundle; waits until the site rests on it. */
  async bring(version: string, client: Client, signer: SigningKey): Promise<void> {
    const persist = this.#persist
    const { project } = this.#setup.deployment
    const key = crypto.randomUUID()
    const params = { project, deployment: this.name }
    const { order, keyset } = await persist(() =>
      client.createBundleOrder({ params, body: { release: version } }, { idempotencyKey: key }),
    )
    const { envelope } = await persist(() => client.getRelease({ params: { project, release: version } }))
    const blobs = (digest: string) =>
      persist(async () => new Uint8Array(await (await client.getBlob({ params: { project, digest } })).arrayBuffer()))
    const { file } = await createBundle({
      out: this.#file('bundle'),
      ...{ project, signer, now: Date.now(), deployment: order.deployment.id },
      releases: [{ envelope, blobs }],
      keyset: keyset.envelope,
      attachments: [{ ...orderAttachment, content: Buffer.from(canonicalJson(order)) }],
    })
    await this.#agent.importBundle(file)
    await until(
      () => this.#agent.status(),
      (status) => rests(version)(status) && status.state?.stable?.release === order.target?.release,
    )
    this.version = version
  }

  /** What it hands back, to each of these managers: the first takes it, the others have it already. */
  async handBack(...clients: readonly Client[]): Promise<void> {
    const file = this.#file('export')
    await this.#agent.exportTo(file)
    const body = Uint8Array.from(await readFile(file))
    const { project } = this.#setup.deployment
    for (const [at, client] of clients.entries()) {
      const { status } = await this.#persist(() => client.importExport({ params: { project }, body }))
      // The first answer may have been lost on its way.
      if (at > 0 && status !== 'already') throw new Error(`${this.name}: an export was taken twice`)
    }
  }

  stop(): Promise<void> {
    return this.#agent.stop()
  }

  #file(kind: string): string {
    this.#files += 1
    return join(this.#directory, `${this.#files}.${kind}`)
  }
}
