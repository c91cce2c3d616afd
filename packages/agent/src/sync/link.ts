import { routes, session as sessionSchema } from '@landfall/contract'
import { Bell, type Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { z } from 'zod'
import { enrolmentDocument } from '../identity/enrol.ts'
import type { Identity } from '../identity/identity.ts'
import type { Sessions } from '../identity/session.ts'
import { enrolmentOf, putEnrolment, type SavedSetup } from '../identity/setup.ts'
import type { AgentState } from '../state/agent-state.ts'
import { callJson, Refusal } from './calls.ts'
import type { Poll } from './machine.ts'
import type { Transport } from './transport.ts'

const callMs = 30_000
/** How long content waits for a session before it is given up for now. */
const sessionWaitMs = 10_000
const smallBytes = 256 * 1024

export interface LinkDeps {
  transport: Transport
  state: AgentState
  setup: SavedSetup
  identity: Identity
  sessions: Sessions
  clock: Clock
  version: string
  signal: AbortSignal
}

/** The agent's standing with its manager: enrolled or not, and the token of its session. */
export class ManagerLink {
  readonly transport: Transport
  readonly #deps: LinkDeps
  readonly #began = new Bell()
  #session: { token: string; renewAt: number } | null = null

  constructor(deps: LinkDeps) {
    this.#deps = deps
    this.transport = deps.transport
  }

  get enrolled(): boolean {
    return enrolmentOf(this.#deps.state)?.token === null
  }

  /** Binds the agent's keys. The token is forgotten once that is known to have worked; until then the same keys ask again. */
  async enrol(): Promise<void> {
    const { state, setup, identity, clock, version, signal } = this.#deps
    const enrolment = enrolmentOf(state)
    if (!enrolment?.token) return
    const { id, platform } = setup.deployment
    const agent = { version, platform }
    const body = enrolmentDocument({ identity, deployment: id, token: enrolment.token, agent })
    const { method, path } = routes.enrolAgent
    const answer = z.object({ deployment: z.string(), key: z.string() })
    await callJson(
      this.transport,
      { method: method as 'POST', path, body, timeoutMs: callMs, signal },
      answer,
      smallBytes,
    )
    putEnrolment(state, { ...enrolment, token: null, enrolledAt: clock.now() })
  }

  async beginSession(): Promise<Poll> {
    const { sessions, clock, signal } = this.#deps
    const body = await sessions.request()
    const { method, path } = routes.beginAgentSession
    const call = { method: method as 'POST', path, body, timeoutMs: callMs, signal }
    const session = await callJson(this.transport, call, sessionSchema, smallBytes)
    sessions.began(session.number)
    // By the manager's own times, so that a clock that is off changes nothing.
    const lasts = Date.parse(session.expiresAt) - Date.parse(session.now)
    this.#session = { token: session.token, renewAt: clock.now() + Math.max(60_000, lasts * 0.8) }
    this.#began.ring()
    return session.poll
  }

  /** The token to use now; null: a session is to be begun first. */
  token(): string | null {
    return this.#session?.token ?? null
  }

  get wantsRenewal(): boolean {
    return this.#session !== null && this.#deps.clock.now() >= this.#session.renewAt
  }

  /** The manager refused this token. Nothing happens where another one has taken its place. */
  ended(token: string | null): void {
    if (token === this.#session?.token) this.#session = null
  }

  /** Runs a call with the session's token, waiting a little for one. @throws LandfallError `E_UNREACHABLE` where none comes */
  async withToken<T>(work: (token: string) => Promise<T>): Promise<T> {
    const token = this.token() ?? (await this.#awaitToken())
    try {
      return await work(token)
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error
      this.ended(token)
      const { code, message, hint } = error
      throw new LandfallError({ code, message, hint, retryable: true })
    }
  }

  async #awaitToken(): Promise<string> {
    const over = new AbortController()
    const { clock, signal } = this.#deps
    const late = clock.sleep(sessionWaitMs, AbortSignal.any([over.signal, signal])).catch(() => {})
    await Promise.race([this.#began.listen(), late])
    over.abort()
    const token = this.token()
    if (token !== null) return token
    throw new LandfallError({
      code: 'E_UNREACHABLE',
      message: 'The agent has no session with its manager now.',
      hint: 'It begins one by itself as soon as the manager answers; its status says what stands in the way.',
      retryable: true,
    })
  }
}
