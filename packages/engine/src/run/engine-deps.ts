import type { Limits } from '../limits.ts'
import type { Clock, Random } from '../ports/clock.ts'
import type { DeploymentRef } from '../ports/desired.ts'
import type { Log } from '../ports/log.ts'
import type { Platform } from '../ports/platform.ts'
import type { BlobSource, ConfigSource, GateRunner, MetricSource, Verifier } from '../ports/sources.ts'
import type { StateStore } from '../ports/store.ts'

/** Everything outside the loop. */
export interface EngineDeps {
  store: StateStore
  /** The platform of a deployment; one for all, or chosen by what the deployment says. */
  platform: Platform | ((deployment: DeploymentRef) => Platform)
  verifier: Verifier
  config: ConfigSource
  blobs: BlobSource
  metrics: MetricSource
  gates: GateRunner
  clock: Clock
  random: Random
  log: Log
  /** Names this runner in leases; unique per process. */
  owner: string
  limits?: Partial<Limits>
}
