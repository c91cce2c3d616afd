import { LandfallError } from '@landfall/stack'
import type { Clock } from '../ports/clock.ts'
import type { Desired } from '../ports/desired.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { Claimed, Lease, StateStore } from '../ports/store.ts'
import type { DeploymentState } from '../state/deployment-state.ts'

interface Row {
  desired: Desired
  state: string | null
  events: EngineEvent[]
  epoch: number
  owner: string | null
  expiresAt: number
  observed: number
  wakeAt: number | null
  /** Every state ever persisted, oldest first. */
  history: DeploymentState[]
}

/** A fenced store in memory, with the semantics that the port promises; states go through JSON as in a database. */
export class MemoryStore implements StateStore {
  readonly #rows = new Map<string, Row>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What a manager does: sets a new desired; its generation must be higher. */
  put(desired: Desired): void {
    const before = this.#rows.get(desired.deployment.id)
    if (before) {
      if (desired.generation <= before.desired.generation) throw new RangeError('a generation only goes up')
      before.desired = desired
      return
    }
    this.#rows.set(desired.deployment.id, {
      desired,
      state: null,
      events: [],
      epoch: 0,
      owner: null,
      expiresAt: 0,
      observed: 0,
      wakeAt: null,
      history: [],
    })
  }

  state(deployment: string): DeploymentState | null {
    const text = this.#row(deployment).state
    return text === null ? null : (JSON.parse(text) as DeploymentState)
  }

  current(deployment: string): Desired {
    return this.#row(deployment).desired
  }

  events(deployment: string): readonly EngineEvent[] {
    return this.#row(deployment).events
  }

  history(deployment: string): readonly DeploymentState[] {
    return this.#row(deployment).history
  }

  /** When a deployment is due: now where its desired was not observed, else at its wake time. */
  dueAt(deployment: string): number | null {
    const row = this.#row(deployment)
    return row.observed < row.desired.generation ? 0 : row.wakeAt
  }

  async claim(owner: string, ttlMs: number, deployment?: string): Promise<Claimed | null> {
    const now = this.#clock.now()
    for (const [id, row] of this.#rows) {
      if (deployment !== undefined && id !== deployment) continue
      const due = this.dueAt(id)
      if (deployment === undefined && (due === null || due > now)) continue
      if (row.owner !== null && row.expiresAt > now) continue
      row.owner = owner
      row.epoch += 1
      row.expiresAt = now + ttlMs
      const lease = { deployment: id, owner, epoch: row.epoch, expiresAt: row.expiresAt }
      return { lease, desired: row.desired, state: this.state(id) }
    }
    return null
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    const row = this.#fenced(lease)
    row.expiresAt = this.#clock.now() + ttlMs
    return { ...lease, expiresAt: row.expiresAt }
  }

  async desired(lease: Lease): Promise<Desired> {
    return this.#fenced(lease).desired
  }

  async persist(lease: Lease, state: DeploymentState, events: readonly EngineEvent[]): Promise<void> {
    const row = this.#fenced(lease)
    row.state = JSON.stringify(state)
    row.history.push(JSON.parse(row.state) as DeploymentState)
    row.events.push(...events)
  }

  async release(lease: Lease, outcome: { observed: number; wakeAt: number | null }): Promise<void> {
    const row = this.#fenced(lease)
    row.owner = null
    row.observed = outcome.observed
    row.wakeAt = outcome.wakeAt
  }

  #row(deployment: string): Row {
    const row = this.#rows.get(deployment)
    if (!row) throw new RangeError(`no deployment ${deployment}`)
    return row
  }

  #fenced(lease: Lease): Row {
    const row = this.#row(lease.deployment)
    if (row.owner === lease.owner && row.epoch === lease.epoch) return row
    throw new LandfallError({
      code: 'E_STALE_EPOCH',
      message: `Epoch ${lease.epoch} of ${lease.deployment} is over, the current one is ${row.epoch}`,
      hint: 'Another runner holds the lease now; nothing was changed.',
    })
  }
}
