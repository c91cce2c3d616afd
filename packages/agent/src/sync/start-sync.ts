import type { Clock, Log, Random } from '@landfall/engine'
import type { AgentStatus } from '../agent.ts'
import type { AgentAudit } from '../audit/agent-audit.ts'
import type { Identity } from '../identity/identity.ts'
import { openSessions } from '../identity/session.ts'
import type { SavedSetup } from '../identity/setup.ts'
import type { Orders } from '../orders/orders.ts'
import type { AgentCommands } from '../parts.ts'
import type { Problems } from '../problems.ts'
import type { Reporter } from '../report/reporter.ts'
import type { Settings } from '../settings/settings.ts'
import type { Trust } from '../sources/trust.ts'
import type { Upstream } from '../sources/upstream.ts'
import type { AgentState } from '../state/agent-state.ts'
import type { AgentStore } from '../store/agent-store.ts'
import type { Uplink } from '../telemetry/uplink.ts'
import { uplinkOf } from '../telemetry/uplink-of-link.ts'
import { ManagerLink } from './link.ts'
import { SyncClient } from './sync-client.ts'
import { sayClock } from './take-answer.ts'
import { openTransport } from './transport.ts'
import { upstreamOf } from './upstream-of-link.ts'

export interface SyncOptions {
  /** PEM of authorities that are trusted beside the system's, for a manager or a proxy behind a private one. */
  caFile?: string
  /** Address of a proxy, with its credentials; otherwise what the environment says (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). */
  proxy?: string
  env?: Readonly<Record<string, string | undefined>>
}

export interface SyncDeps extends SyncOptions {
  state: AgentState
  setup: SavedSetup
  identity: Identity
  trust: Trust
  orders: Orders
  settings: Settings
  reporter: Reporter
  problems: Problems
  audit: AgentAudit
  store: AgentStore
  clock: Clock
  random: Random
  log: Log
  version: string
  commands: () => AgentCommands
  wake: () => void
}

export interface RunningSync {
  readonly upstream: Upstream
  readonly uplink: Uplink
  start(): void
  /** Something is to be reported. Safe at any rate. */
  changed(): void
  status(): NonNullable<AgentStatus['sync']>
  stop(): Promise<void>
}

/** The sync client of this setup; null where there is no network to sync over. @throws LandfallError `E_SYNC_CA` */
export async function startSync(deps: SyncDeps): Promise<RunningSync | null> {
  const { setup, state, identity, reporter, problems, settings, clock, version } = deps
  if (!setup.sync) return null
  const { url } = setup.sync
  const stopping = new AbortController()
  const { signal } = stopping
  const { caFile, proxy, env } = deps
  const transport = await openTransport({
    url,
    ...(caFile && { caFile }),
    ...(proxy && { proxy }),
    ...(env && { env }),
  })
  const sessions = openSessions(state, identity, setup.deployment.id)
  const link = new ManagerLink({ transport, state, setup, identity, sessions, clock, version, signal })
  const upstream = upstreamOf(link, signal)
  // Offline, the last known offset counts.
  sayClock(problems, settings.clockOff(), reporter.clockOffsetMs())
  const client = new SyncClient({ ...deps, link, upstream, url, deployment: setup.deployment.id, signal })
  let loops: Promise<unknown> = Promise.resolve()
  let stopped: Promise<void> | null = null
  return {
    upstream,
    uplink: uplinkOf(link),
    start() {
      loops = client.run()
    },
    changed: () => client.changed(),
    status: () => client.status(),
    stop() {
      stopped ??= (async () => {
        stopping.abort()
        await loops
        await transport.close()
      })()
      return stopped
    },
  }
}
