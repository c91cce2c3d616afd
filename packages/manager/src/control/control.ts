import type {
  BlobSource,
  Clock,
  ConfigSource,
  GateRunner,
  Limits,
  Log,
  MetricSource,
  Platform,
  Random,
  Verifier,
} from '@landfall/engine'
import type { Model, PlatformName } from '@landfall/stack'
import type { Pool } from 'pg'
import type { ChangeFeed } from '../changes/feed.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { Intake } from '../telemetry/intake.ts'
import type { LoopHealth } from './loop.ts'
import type { Topic } from './waker.ts'

/** By name; what is registered here is all that this manager can run. */
export type Platforms = Readonly<Partial<Record<PlatformName, Platform>>>

export interface ControlDeps {
  db: Database
  /** For LISTEN; one connection is kept. */
  pool: Pool
  clock: Clock
  random: Random
  log: Log
  keyring: Keyring
  platforms: Platforms
  /** Names this process in leases; unique per process. */
  owner: string
  /** Whose engine this manager runs; the rest is run by agents. */
  models?: readonly Model[]
  /** Deployments, and commands, worked on at once. */
  concurrency?: number
  commandConcurrency?: number
  limits?: Partial<Limits>
  /** A deployment that is not seen for so long does not count in rollouts; ten minutes by default. */
  offlineAfterMs?: number
  /** The engine's ports, where not the store's own. */
  verifier?: Verifier
  config?: ConfigSource
  blobs?: BlobSource
  metrics?: MetricSource
  gates?: GateRunner
}

export interface ControlHealth {
  /** A loop that did not succeed for a minute makes it false. */
  ok: boolean
  loops: readonly LoopHealth[]
  running: { deployments: number; commands: number }
}

/** The working half of a manager: what acts, as the API is what answers. */
export interface Control {
  /** Something changed in the database: look now, here and in every other manager. Call it after the commit. */
  wake(...about: Topic[]): void
  /** Takes no more work, finishes the steps that are under way, gives leases up, stores what was accepted. */
  stop(): Promise<void>
  health(): ControlHealth
  /** Prometheus text of the loops, the runner, commands, telemetry and forwarding. */
  metricsText(): string
  readonly changes: ChangeFeed
  readonly telemetry: Intake
}

/** What the API uses of it. */
export type ApiControl = Pick<Control, 'changes' | 'telemetry' | 'metricsText' | 'health'>
