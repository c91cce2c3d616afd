import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Claimed, DeploymentState, Desired, EngineEvent, Lease, StateStore } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'

/** The engine's store for the one deployment of `landfall dev`: state in a file, one process, so that the epoch only ever grows here. */
export class DevStore implements StateStore {
  readonly #file: string
  readonly #onEvent: (event: EngineEvent) => void
  #desired: Desired | null = null
  #state: DeploymentState | null = null
  #epoch = 0
  #held = false

  constructor(file: string, onEvent: (event: EngineEvent) => void) {
    this.#file = file
    this.#onEvent = onEvent
  }

  /** Reads the state that the last `dev` left, if any. */
  async open(): Promise<DeploymentState | null> {
    this.#state = await readFile(this.#file, 'utf8').then(JSON.parse, () => null)
    return this.#state
  }

  ask(desired: Desired): void {
    this.#desired = desired
  }

  get state(): DeploymentState | null {
    return this.#state
  }

  async claim(owner: string, ttlMs: number): Promise<Claimed | null> {
    if (!this.#desired || this.#held) return null
    this.#held = true
    this.#epoch++
    return {
      lease: { deployment: this.#desired.deployment.id, owner, epoch: this.#epoch, expiresAt: Date.now() + ttlMs },
      desired: this.#desired,
      state: this.#state,
    }
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    this.#fence(lease)
    return { ...lease, expiresAt: Date.now() + ttlMs }
  }

  async desired(lease: Lease): Promise<Desired> {
    return this.#fence(lease)
  }

  async persist(lease: Lease, state: DeploymentState, events: readonly EngineEvent[]): Promise<void> {
    this.#fence(lease)
    await writeFile(`${this.#file}.new`, JSON.stringify(state))
    await rename(`${this.#file}.new`, this.#file)
    this.#state = state
    for (const event of events) this.#onEvent(event)
  }

  async release(lease: Lease): Promise<void> {
    this.#fence(lease)
    this.#held = false
  }

  #fence(lease: Lease): Desired {
    if (lease.epoch === this.#epoch && this.#held && this.#desired) return this.#desired
    throw new LandfallError({
      code: 'E_STALE_EPOCH',
      message: 'The lease of this deployment has passed on.',
      hint: 'Nothing is to be done: the holder goes on.',
    })
  }
}
