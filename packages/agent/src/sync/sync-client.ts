import { routes, type SyncAnswer, type SyncRequest, syncAnswer } from '@landfall/contract'
import { Bell, type Log, type Random } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { AgentStatus } from '../agent.ts'
import { callJson, Refusal } from './calls.ts'
import type { ManagerLink } from './link.ts'
import { initialSync, nextSync, type SyncEvent, type SyncPhase, type SyncState } from './machine.ts'
import { type TakeDeps, takeAnswer } from './take-answer.ts'

/** Between two reports at the least, so that a busy rollout is one report for many steps. */
const reportGapMs = 300
/** Beyond the time a sync is held, until it counts as cut off. */
const graceMs = 20_000
/** A request that ended sooner than this was not held: the other side is away. */
const heldMs = 500
const answerBytes = 32 * 1024 * 1024

export interface ClientDeps extends TakeDeps {
  link: ManagerLink
  url: string
  random: Random
  log: Log
  signal: AbortSignal
}

type Status = NonNullable<AgentStatus['sync']>

const modes: Readonly<Record<SyncPhase, Status['mode']>> = {
  starting: 'starting',
  enrolling: 'starting',
  session: 'starting',
  waiting: 'long-poll',
  polling: 'poll',
  offline: 'offline',
  refused: 'refused',
}

/**
 * Keeps in touch with the manager: one loop asks and is held, as the machine says; the other hands reports over beside it, so that
 * what happens here is known at once although nothing is to be fetched.
 */
export class SyncClient {
  readonly #deps: ClientDeps
  readonly #bell = new Bell()
  #state: SyncState = initialSync
  #since: number
  #lastAnswerAt: number | null = null
  #error: Status['error'] = null
  #dirty = true
  /** Room for commands that the held request has offered. */
  #offered = 0
  #reportFailures = 0
  readonly #stopped: Promise<void>

  constructor(deps: ClientDeps) {
    this.#deps = deps
    this.#since = deps.clock.now()
    this.#stopped = new Promise((resolve) => {
      deps.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  changed(): void {
    this.#dirty = true
    this.#bell.ring()
  }

  status(): Status {
    return {
      url: this.#deps.url,
      mode: modes[this.#state.phase],
      since: this.#since,
      lastAnswerAt: this.#lastAnswerAt,
      error: this.#error,
    }
  }

  async run(): Promise<void> {
    this.#move({ kind: 'started', enrolled: this.#deps.link.enrolled })
    await Promise.all([this.#asking(), this.#reporting()])
  }

  async #asking(): Promise<void> {
    const { signal } = this.#deps
    while (await this.#slept(this.#state.delayMs)) {
      const event = await this.#step()
      if (signal.aborted) return
      this.#move(event)
    }
  }

  #move(event: SyncEvent): void {
    const before = this.#state
    this.#state = nextSync(before, event, this.#deps.random.next())
    if (modes[before.phase] === modes[this.#state.phase]) return
    this.#since = this.#deps.clock.now()
    this.#deps.log.info('sync', { mode: modes[this.#state.phase], error: this.#error?.code ?? null })
    // Connected again: what happened meanwhile goes over.
    this.#bell.ring()
  }

  async #step(): Promise<SyncEvent> {
    const { link, clock } = this.#deps
    const { step, waitMs } = this.#state
    const at = clock.now()
    const token = link.token()
    try {
      if (step === 'enrol') {
        await link.enrol()
        return { kind: 'enrolled' }
      }
      if (step === 'session') return { kind: 'session-began', poll: await this.#begin() }
      if (token === null) return { kind: 'session-ended' }
      if (link.wantsRenewal) await this.#begin()
      const room = this.#deps.commands().room()
      this.#offered = waitMs > 0 ? room : 0
      const answer = await this.#exchange({ wait: waitMs / 1_000, commandRoom: room }, waitMs)
      const took = clock.now() - at
      const news = await takeAnswer(this.#deps, answer)
      return { kind: 'answered', heldMs: took, news, poll: answer.poll }
    } catch (error) {
      return this.#eventOf(error, clock.now() - at, token)
    } finally {
      this.#offered = 0
    }
  }

  async #begin() {
    const poll = await this.#deps.link.beginSession()
    this.#deps.problems.clear('SYNC_REFUSED')
    this.#error = null
    return poll
  }

  async #exchange(request: Omit<SyncRequest, 'known'>, waitMs: number): Promise<SyncAnswer> {
    const { link, orders, clock, signal } = this.#deps
    const { method, path } = routes.sync
    const known = orders.current()?.generation ?? 0
    const token = link.token()
    const call = { method: method as 'POST', path, body: { known, ...request }, timeoutMs: waitMs + graceMs, signal }
    const answer = await callJson(link.transport, token ? { ...call, token } : call, syncAnswer, answerBytes)
    this.#lastAnswerAt = clock.now()
    this.#error = null
    return answer
  }

  #eventOf(error: unknown, took: number, token: string | null): SyncEvent {
    const { link, problems, log, signal } = this.#deps
    if (signal.aborted) return { kind: 'failed' }
    const { step, waitMs } = this.#state
    const known = LandfallError.is(error) ? error : null
    // Not an answer at all, but something here: said, and tried again like an outage.
    if (!known) log.warn('a sync failed', { error: String(error) })
    const said = { code: known?.code ?? 'E_INTERNAL', message: known?.message ?? 'The agent could not sync.' }
    if (known instanceof Refusal && !known.retryable) {
      if (step !== 'sync') {
        this.#error = said
        problems.set('SYNC_REFUSED', `The manager refuses this agent: ${known.message}`)
        return { kind: 'refused' }
      }
      if ([401, 403, 404, 410].includes(known.status)) {
        link.ended(token)
        return { kind: 'session-ended' }
      }
    }
    const nobody = known?.code === 'E_UNREACHABLE' || known?.code === 'E_UNEXPECTED_ANSWER'
    if (step === 'sync' && waitMs > 0 && took >= heldMs && nobody) return { kind: 'cut', heldMs: took }
    this.#error = said
    return { kind: 'failed' }
  }

  async #reporting(): Promise<void> {
    const { link, random, signal } = this.#deps
    while (!signal.aborted) {
      const { phase } = this.#state
      if (!this.#dirty || link.token() === null || (phase !== 'waiting' && phase !== 'polling')) {
        await this.#rung()
        continue
      }
      this.#dirty = false
      if (!(await this.#report())) this.#dirty = true
      const failed = Math.min(60_000, reportGapMs * 2 ** Math.min(this.#reportFailures, 20))
      const pause = this.#reportFailures === 0 ? reportGapMs : Math.max(reportGapMs, random.next() * failed)
      if (!(await this.#slept(pause))) return
    }
  }

  /** Hands a report over; false: it is to be tried again. */
  async #report(): Promise<boolean> {
    const { link, reporter, commands, log, signal } = this.#deps
    const token = link.token()
    try {
      const room = Math.max(0, commands().room() - this.#offered)
      if (reporter.copy() === undefined) {
        await takeAnswer(this.#deps, await this.#exchange({ wait: 0, commandRoom: 0 }, 0))
      }
      const report = reporter.build(reporter.copy() ?? null)
      const answer = await this.#exchange({ wait: 0, commandRoom: room, report }, 0)
      if (answer.reported >= report.number) commands().reported(report.commands)
      await takeAnswer(this.#deps, answer)
      this.#reportFailures = 0
      // More links than one report holds.
      if (reporter.lags() && report.audit.length > 0) this.changed()
      return answer.reported >= report.number
    } catch (error) {
      if (signal.aborted) return false
      this.#reportFailures += 1
      if (error instanceof Refusal) {
        if (error.status === 401) link.ended(token)
        if (error.code === 'E_AUDIT_GAP') reporter.forgetCopy()
        if (error.code === 'E_AUDIT_BROKEN') reporter.setCopy(null)
      }
      log.warn('a report was not taken', { error: LandfallError.is(error) ? error.code : String(error) })
      return false
    }
  }

  async #rung(): Promise<void> {
    await Promise.race([this.#bell.listen(), this.#stopped])
  }

  /** False when it is time to stop. */
  async #slept(ms: number): Promise<boolean> {
    const { clock, signal } = this.#deps
    await clock.sleep(ms, signal).catch(() => {})
    return !signal.aborted
  }
}
