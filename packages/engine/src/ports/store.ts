import type { DeploymentState } from '../state/deployment-state.ts'
import type { Desired } from './desired.ts'
import type { EngineEvent } from './events.ts'

/** The right to act on a deployment. Only the holder of the current epoch can persist. */
export interface Lease {
  deployment: string
  owner: string
  epoch: number
  expiresAt: number
}

export interface Claimed {
  lease: Lease
  desired: Desired
  state: DeploymentState | null
}

/**
 * Where deployments' states live. Every write is fenced by the lease's epoch: with a stale one it rejects with
 * `LandfallError` code `E_STALE_EPOCH` and changes nothing.
 */
export interface StateStore {
  /** Claims one deployment that is due (generation not yet observed, or its wake time has come), or the named one; null if none. */
  claim(owner: string, ttlMs: number, deployment?: string): Promise<Claimed | null>
  renew(lease: Lease, ttlMs: number): Promise<Lease>
  /** Reads the newest desired without giving up the lease: a new target preempts at the next step. */
  desired(lease: Lease): Promise<Desired>
  /** Writes state and appends events in one transaction. */
  persist(lease: Lease, state: DeploymentState, events: readonly EngineEvent[]): Promise<void>
  /** Gives the lease up. `observed`: the generation that was acted on; `wakeAt`: when to look again at the latest. */
  release(lease: Lease, outcome: { observed: number; wakeAt: number | null }): Promise<void>
}
