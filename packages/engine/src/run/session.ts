import type { Operation } from '../decide/operations.ts'
import { Turn } from '../decide/turn.ts'
import { emptyWorld, type World } from '../decide/world.ts'
import type { Limits } from '../limits.ts'
import type { Desired } from '../ports/desired.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { Platform } from '../ports/platform.ts'
import type { Claimed } from '../ports/store.ts'
import type { DeploymentPhase, DeploymentState } from '../state/deployment-state.ts'
import { sameJson } from '../state/same-json.ts'
import { applyOutcome } from './apply-outcome.ts'
import { execute } from './execute.ts'
import { intend } from './intend.ts'
import { LeaseKeeper, leaseLost } from './lease-keeper.ts'
import { Loader } from './loader.ts'
import type { RunOptions, RunOutcome } from './run-deployment.ts'
import { withDeadline } from './with-deadline.ts'
import { decideWorldAfter } from './world-after.ts'

/** One holding of one lease: the newest state, what was seen since, and the calls out. */
export class Session {
  readonly keeper: LeaseKeeper
  readonly loader: Loader
  state: DeploymentState | null
  world: World
  readonly #options: RunOptions
  readonly #limits: Limits
  readonly #platform: Platform
  #desired: Desired
  #saved: DeploymentState | null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: RunOptions, claimed: Claimed, limits: Limits) {
    this.#options = options
    this.#limits = limits
    this.#desired = claimed.desired
    this.state = claimed.state
    this.#saved = claimed.state
    this.keeper = new LeaseKeeper(claimed.lease, options.store, options.clock, limits.leaseMs)
    this.loader = new Loader(options.verifier, options.config)
    const { platform } = options
    this.#platform = typeof platform === 'function' ? platform(claimed.desired.deployment) : platform
    const routing = {
      worker: this.#platform.compute.worker?.routing ?? 'weighted',
      container: this.#platform.compute.container?.routing ?? 'weighted',
    }
    this.world = { ...emptyWorld, routing }
  }

  get phase(): DeploymentPhase {
    return this.state?.phase ?? 'pending'
  }

  checkLease(): void {
    if (this.keeper.lost.aborted) throw leaseLost()
  }

  /** Read at every step, so that a new target preempts. */
  async readDesired(): Promise<Desired> {
    this.#desired = await this.#options.store.desired(this.keeper.lease)
    return this.#desired
  }

  /** Persists when something changed. One write at a time, in order. */
  async save(state: DeploymentState, events: readonly EngineEvent[]): Promise<void> {
    this.state = state
    if (state === this.#saved && events.length === 0) return
    if (events.length === 0 && this.#saved && sameJson(state, this.#saved)) return
    this.checkLease()
    await this.#options.store.persist(this.keeper.lease, state, events)
    this.#saved = state
  }

  /** Carries operations out at once, at most `parallel` at a time; persists after each. */
  async carryOut(operations: readonly Operation[]): Promise<void> {
    const now = this.#options.clock.now()
    if (this.state) await this.save(intend(this.state, operations, now), [])
    const queue = [...operations]
    const lanes = Array.from({ length: Math.min(this.#limits.parallel, queue.length) }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await this.#one(next)
    })
    const results = await Promise.allSettled(lanes)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #one(operation: Operation): Promise<void> {
    this.checkLease()
    const { clock, blobs, metrics, gates, random } = this.#options
    const state = this.state
    if (!state) return
    const deployment = this.#desired.deployment
    const target = this.loader.get.bind(this.loader)
    const signals = [this.keeper.lost]
    const outcome = await withDeadline(clock, this.#limits.stepDeadlineMs, signals, (signal) =>
      execute(operation, { deployment, platform: this.#platform, state, target, blobs, metrics, gates, clock, signal }),
    ).catch((error: unknown) => {
      this.checkLease()
      return { kind: 'error', code: 'E_STEP_DEADLINE', message: messageOf(error), retryable: true } as const
    })
    this.#writing = this.#writing.then(async () => {
      this.checkLease()
      const newest = this.state
      if (!newest) return
      const now = clock.now()
      const turn = new Turn(newest, this.#desired, this.world, this.#limits, now)
      applyOutcome(turn, operation, outcome, random)
      this.world = decideWorldAfter(this.world, operation, outcome, this.#limits, now)
      await this.save(turn.state, turn.events)
    })
    await this.#writing
  }

  /** Until then, or until something that was missing has come. */
  async sleep(ms: number): Promise<void> {
    const over = new AbortController()
    const signal = AbortSignal.any([this.#options.signal, this.keeper.lost, over.signal])
    await Promise.race([this.#options.clock.sleep(ms, signal).catch(() => {}), this.loader.arrival()])
    over.abort()
  }

  async release(ended: RunOutcome['ended'], wakeAt: number | null): Promise<RunOutcome> {
    const observed = this.#desired.generation
    const deployment = this.keeper.lease.deployment
    await this.keeper.stop()
    await this.#options.store.release(this.keeper.lease, { observed, wakeAt })
    return { deployment, phase: this.phase, ended, wakeAt }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
