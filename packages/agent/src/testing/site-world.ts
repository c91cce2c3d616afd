import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentSetup, type Order, orderAttachment } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import { type CreateBundleOptions, createBundle, type ReleaseSource, releaseDigest } from '@landfall/release'
import { type CustomerSettings, customerSettings, digestOf } from '@landfall/stack'
import { BundleWorld, noise } from '../../../release/src/bundle/testing/bundle-world.ts'
import { now } from '../../../release/src/testing/fixtures.ts'
import type { Agent } from '../agent.ts'
import { startAgent } from '../start-agent.ts'
import { fixtureClock } from './fixture-clock.ts'
import { newKey } from './scratch.ts'

export { fixtureClock, noise }

/** A vendor with real keys, and a site without network that trusts it: its agent is a real one, on a directory of the world. */
export class SiteWorld implements AsyncDisposable {
  readonly vendor: BundleWorld
  readonly key = newKey()
  readonly reply = generateKeyPairSync('x25519')
  readonly #agents: Agent[] = []

  /** When everything is signed, milliseconds. */
  readonly at: number

  private constructor(vendor: BundleWorld, at: number) {
    this.vendor = vendor
    this.at = at
  }

  /** @param at the real time, for a site whose clock can't be given */
  static async create(at = now): Promise<SiteWorld> {
    return new SiteWorld(await BundleWorld.create(), at)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent.stop()
    await this.vendor[Symbol.asyncDispose]()
  }

  setup(customer: Partial<CustomerSettings> = { updates: 'approval' }): AgentSetup {
    return {
      schema: 'landfall.dev/agent-setup/v1',
      deployment: this.deployment(),
      root: { publicKey: this.vendor.root.publicKey },
      reply: { seal: this.reply.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
      enrolment: { token: 'lf_enrol_test', expiresAt: new Date(this.at + 86_400_000).toISOString() },
      sync: null,
      customer: customerSettings.parse(customer),
      policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
    }
  }

  deployment(): Order['deployment'] {
    return {
      id: this.vendor.deployment,
      name: 'initech',
      project: 'acme',
      prefix: 'initech',
      platform: 'local',
      model: 'airgapped',
      environment: { directory: this.vendor.path('environment') },
    }
  }

  /** Small, and two workers, so that deltas have something to share. */
  release(sequence: number, size = 3_000): Promise<ReleaseSource> {
    const workers = { api: noise(size, sequence), mail: noise(size, 99) }
    return this.vendor.release({ version: `1.${sequence}.0`, sequence, workers })
  }

  order(release: ReleaseSource, generation: number, change: Partial<Order> = {}): Order {
    const config = { inputs: {}, secrets: {}, bindings: {} }
    const target = { release: releaseDigest(release.envelope), config: digestOf(config) }
    return {
      schema: 'landfall.dev/order/v1',
      generation,
      deployment: this.deployment(),
      operation: 'run',
      target: { ...target, digest: digestOf(target) },
      setup: { release: target.release },
      controls: [],
      answers: [],
      customer: customerSettings.parse({ updates: 'approval' }),
      policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
      config,
      secrets: [],
      ...change,
    }
  }

  /** A bundle for the site: the release, and an order that asks for it. */
  async bundle(
    sequence: number,
    more: { order?: Partial<Order>; release?: ReleaseSource; name?: string; size?: number } & Partial<
      Omit<CreateBundleOptions, 'releases'>
    > = {},
  ) {
    const { order: change, release: given, name, size, ...options } = more
    const release = given ?? (await this.release(sequence, size))
    const order = this.order(release, sequence, change)
    const made = await createBundle({
      out: this.vendor.path(name ?? `site-${sequence}-${randomBytes(4).toString('hex')}.bundle`),
      project: 'acme',
      keyset: await this.vendor.keyset({ expiresAt: this.at + 30 * 86_400_000 }),
      signer: this.vendor.vendor,
      now: this.at,
      releases: [release],
      deployment: this.vendor.deployment,
      attachments: [{ ...orderAttachment, content: Buffer.from(JSON.stringify(order)) }],
      ...options,
    })
    return { ...made, order, release }
  }

  async start(directory = this.vendor.path('agent'), options: { clock?: Clock; setup?: AgentSetup } = {}) {
    const agent = await startAgent({
      directory,
      key: this.key,
      setup: options.setup ?? this.setup(),
      clock: options.clock ?? fixtureClock(),
    })
    this.#agents.push(agent)
    return agent
  }
}

/** Asks until it holds; the test's own time limit ends it. */
export async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask()
    if (holds(value)) return value
    await sleep(20)
  }
}
