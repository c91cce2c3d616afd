import type { CommandOrder, CommandUpdate } from '@landfall/contract'
import type { BlobSource, Clock, ConfigSource, GateRunner, Log, MetricSource, Random, Verifier } from '@landfall/engine'
import type { LocalPlatform } from '@landfall/platform-local'
import type { BundleStore } from '@landfall/release'
import type { AgentAudit } from './audit/agent-audit.ts'
import type { Identity } from './identity/identity.ts'
import type { SavedSetup } from './identity/setup.ts'
import type { Orders } from './orders/orders.ts'
import type { Problems } from './problems.ts'
import type { Reporter } from './report/reporter.ts'
import type { Settings } from './settings/settings.ts'
import type { Releases } from './sources/releases.ts'
import type { Trust } from './sources/trust.ts'
import type { Spool } from './spool/spool.ts'
import type { AgentState } from './state/agent-state.ts'
import type { AgentStore } from './store/agent-store.ts'

/** Where the engine's inputs come from, whichever way they came to the site. */
export interface AgentSources {
  verifier: Verifier
  config: ConfigSource
  blobs: BlobSource
  metrics: MetricSource
  gates: GateRunner
  /** Signed envelopes: the cache, what was imported, the manager. */
  releases: Releases
  /** What was imported from bundles. */
  bundles: BundleStore
  trust: Trust
}

/** Commands at this agent as the sync client, a report and an export see them. */
export interface AgentCommands {
  /** How many could begin now. */
  room(): number
  /** Takes commands that sync brought; durable when it returns. One that is known already is not run twice at the same attempt. */
  take(orders: readonly CommandOrder[]): void
  cancel(ids: readonly string[]): void
  /** What the other side is to know, at most as many as a report may carry; the same again until `reported`. */
  updates(): CommandUpdate[]
  /** These were taken by the manager. */
  reported(updates: readonly CommandUpdate[]): void
  /** A signed command from a person at the site or a bundle. Throws `E_COMMAND_*`. */
  accept(envelope: string): Promise<{ id: string }>
  stop(): Promise<void>
}

/** Everything a running agent is made of: what its rooms (local API, bundles, commands, telemetry) plug into. */
export interface AgentParts {
  readonly directory: string
  readonly version: string
  readonly startedAt: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly state: AgentState
  readonly store: AgentStore
  readonly audit: AgentAudit
  readonly spool: Spool
  readonly setup: SavedSetup
  readonly identity: Identity
  readonly settings: Settings
  readonly orders: Orders
  readonly sources: AgentSources
  readonly platform: LocalPlatform
  readonly problems: Problems
  readonly reporter: Reporter
  readonly commands: AgentCommands
  /** The engine looks now: an order, a setting or an answer has changed. Also tells the other side. */
  wake(): void
  /** Takes out of the spool what the customer does not let leave any more; before anything of it is handed on. */
  settleTelemetry(): Promise<void>
  /** The other side should learn of something; a report follows soon. */
  changed(): void
}
