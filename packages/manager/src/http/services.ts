import type { Clock, Log, Random } from '@landfall/engine'
import type { Pool } from 'pg'
import type { Agents } from '../agents/agents.ts'
import type { Attempts } from '../auth/attempts.ts'
import type { SingleSignOn } from '../auth/single-sign-on.ts'
import type { Usage } from '../auth/usage.ts'
import type { Control } from '../control/control.ts'
import type { Waker } from '../control/waker.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { RequestMetrics } from './request-metrics.ts'
import type { Settings } from './settings.ts'

export interface AccessLine {
  operation: string
  method: string
  /** Without the query. */
  path: string
  status: number
  ms: number
  actor: string
  requestId: string
}

/** What handlers work with. Each room adds its own field; all are made once, in `serve/`. */
export interface Services {
  db: Database
  /** For LISTEN, which Kysely has no word for. */
  pool: Pool
  clock: Clock
  random: Random
  log: Log
  keyring: Keyring
  settings: Settings
  usage: Usage
  attempts: Attempts
  singleSignOn: SingleSignOn
  /** Wakes loops and readers of every manager after a commit. */
  waker: Pick<Waker, 'wake'>
  /** Runs what reads again, on another connection, what the call has written: at once, or when the call as a whole is committed. */
  afterCommit: (work: () => Promise<void>) => Promise<void>
  /** Change feed, telemetry intake, and how the loops are; the loops themselves are nobody's business here. */
  control: Pick<Control, 'changes' | 'telemetry' | 'health' | 'metricsText'>
  /** Agents: their sessions, the sync hub, and the one way their reports are taken in. */
  agents: Agents
  requests: RequestMetrics
  accessLog: ((line: AccessLine) => void) | null
  /** Aborts when the manager begins to drain: streams end, nothing new is begun. */
  stopping: AbortSignal
}
