import { createHash, createHmac, generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto'
import {
  type AgentSetup,
  type AuditLink,
  agentChain,
  type Client,
  type CommandUpdate,
  genesis,
  hashOf,
  type Report,
  type SyncRequest,
  sessionPayloadType,
} from '@landfall/contract'
import { type DeploymentState, initialState } from '@landfall/engine'
import { openSealed, SigningKey, signEnvelope } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'

const info = {
  version: '0.1.0',
  platform: 'test',
  startedAt: 0,
  clockOffsetMs: null,
  problems: [],
  telemetry: { bytes: 0, oldestAt: null, dropped: [] },
}

/** An agent's side of the contract without an engine: keys, sessions, an audit chain, reports; for tests of the manager. */
export class TestAgent {
  readonly setup: AgentSetup
  readonly keys: { sign: string; seal: string }
  readonly #sign: SigningKey
  readonly #seal: KeyPairKeyObjectResult
  readonly #client: (token: string) => Client
  previous = 0
  token = ''
  number = 0
  links: AuditLink[] = []

  /** @param volume the agent whose state it has a copy of */
  constructor(client: (token: string) => Client, setup: AgentSetup, volume?: TestAgent) {
    this.setup = setup
    this.#client = client
    this.#sign = volume ? volume.#sign : new SigningKey(generateKeyPairSync('ed25519').privateKey)
    this.#seal = volume ? volume.#seal : generateKeyPairSync('x25519')
    const seal = this.#seal.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    this.keys = { sign: this.#sign.publicKey, seal }
    if (!volume) return
    this.previous = volume.previous
    this.number = volume.number
    this.links = [...volume.links]
  }

  /** The key that it enrols with. */
  get signer(): SigningKey {
    return this.#sign
  }

  get deployment(): string {
    return this.setup.deployment.id
  }

  enrolment(token = this.setup.enrolment.token) {
    const content = { deployment: this.deployment, keys: this.keys }
    const key = createHash('sha256').update(token).digest()
    const proof = createHmac('sha256', key).update(canonicalJson(content)).digest('base64url')
    return { ...content, proof, agent: { version: '0.1.0', platform: 'test' } }
  }
  enrol(token?: string) {
    return this.#client('').enrolAgent({ body: this.enrolment(token) })
  }

  request(nonce = randomBytes(24).toString('base64url'), previous = this.previous) {
    const content = canonicalJson({ deployment: this.deployment, previous, nonce })
    return signEnvelope(sessionPayloadType, Buffer.from(content), [this.#sign])
  }
  async begin(envelope?: Awaited<ReturnType<TestAgent['request']>>) {
    const session = await this.#client('').beginAgentSession({ body: envelope ?? (await this.request()) })
    this.previous = session.number
    this.token = session.token
    return session
  }

  sync(request: Partial<SyncRequest> = {}, signal?: AbortSignal) {
    const body = { known: 0, wait: 0, commandRoom: 0, ...request }
    return this.client.sync({ body }, signal ? { signal } : {})
  }
  get client(): Client {
    return this.#client(this.token)
  }

  /** Adds links to its chain; answers them. */
  happened(...events: { type: string; message: string; code?: string; data?: unknown; actor?: string }[]): AuditLink[] {
    return events.map(({ type, message, code, data, actor }) => {
      const before = this.links.at(-1)
      const content = {
        deployment: this.deployment,
        number: (before?.number ?? 0) + 1,
        at: '2026-11-21T11:00:00.000Z',
        type,
        actor: actor ?? 'engine',
        code: code ?? null,
        message,
        resource: null,
        data: data ?? null,
        previous: before?.hash ?? genesis(agentChain(this.deployment)),
      }
      const link = { ...content, hash: hashOf(content) }
      this.links.push(link)
      return link
    })
  }

  /** The next report. */
  report(
    change: Partial<Omit<Report, 'state'>> & {
      state?: Partial<DeploymentState> | null
      commands?: CommandUpdate[]
    } = {},
  ): Report {
    this.number += 1
    const { state, ...rest } = change
    return {
      schema: 'landfall.dev/report/v1',
      deployment: this.deployment,
      number: this.number,
      at: 0,
      observed: 0,
      wakeAt: null,
      state: state === null ? null : { ...initialState(0), ...state },
      customer: this.setup.customer,
      local: [],
      answers: [],
      audit: [],
      commands: [],
      agent: info,
      ...rest,
    }
  }

  open(sealed: string, context: string): string {
    return openSealed(this.#seal.privateKey, sealed, context).toString('utf8')
  }

  /** A copy of its volume, as it is now. */
  copy(): TestAgent {
    return new TestAgent(this.#client, this.setup, this)
  }
}
