import type { Platform, StateStore, VerifiedRelease } from '@landfall/engine'
import type { AgentState } from '../../packages/agent/src/state/agent-state.ts'
import type { CommandSeams } from './command-store.ts'
import type { FleetSeams } from './fleet.ts'
import type { SyncSeams } from './manager-sync.ts'
import type { StoreSeams } from './push-store.ts'

/** The places in which a deliberate bug can stand. Each wraps or replaces something outside of the product's own code. */
export interface Seams {
  store: StoreSeams
  fleet: FleetSeams
  sync: SyncSeams
  commands: CommandSeams
  wrapStore: (store: StateStore, process: string) => StateStore
  wrapOrders: (apply: (order: unknown) => boolean) => (order: unknown) => boolean
  /** What an agent reads of its disk and writes to it. */
  wrapState: (state: AgentState) => AgentState
  wrapPlatform: (platform: Platform) => Platform
  release: (release: VerifiedRelease) => VerifiedRelease
}

export const noSeams: Seams = {
  store: {},
  fleet: {},
  sync: {},
  commands: {},
  wrapStore: (store) => store,
  wrapOrders: (apply) => apply,
  wrapState: (state) => state,
  wrapPlatform: (platform) => platform,
  release: (release) => release,
}
