import { Socket } from 'node:net'
import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type * as accounts from './tables/accounts.ts'
import type * as activity from './tables/activity.ts'
import type * as agents from './tables/agents.ts'
import type * as deployments from './tables/deployments.ts'
import type * as releases from './tables/releases.ts'
import type * as rollouts from './tables/rollouts.ts'
import type * as telemetry from './tables/telemetry.ts'

export interface Schema {
  users: accounts.UsersTable
  sessions: accounts.SessionsTable
  invitations: accounts.InvitationsTable
  oidc_logins: accounts.OidcLoginsTable
  projects: accounts.ProjectsTable
  keysets: accounts.KeysetsTable
  members: accounts.MembersTable
  tokens: accounts.TokensTable
  data_keys: accounts.DataKeysTable
  idempotency_keys: accounts.IdempotencyKeysTable
  blob_uploads: releases.BlobUploadsTable
  blob_chunks: releases.BlobChunksTable
  blobs: releases.BlobsTable
  channels: releases.ChannelsTable
  releases: releases.ReleasesTable
  groups: deployments.GroupsTable
  deployments: deployments.DeploymentsTable
  inputs: deployments.InputsTable
  secrets: deployments.SecretsTable
  configs: deployments.ConfigsTable
  targets: deployments.TargetsTable
  controls: deployments.ControlsTable
  answers: deployments.AnswersTable
  agents: agents.AgentsTable
  sealed_boxes: agents.SealedBoxesTable
  rollouts: rollouts.RolloutsTable
  rollout_members: rollouts.RolloutMembersTable
  rollout_controls: rollouts.RolloutControlsTable
  freezes: rollouts.FreezesTable
  commands: activity.CommandsTable
  command_output: activity.CommandOutputTable
  audit_heads: activity.AuditHeadsTable
  audit_entries: activity.AuditEntriesTable
  audit_checkpoints: activity.AuditCheckpointsTable
  changes: activity.ChangesTable
  logs: telemetry.LogsTable
  metric_points: telemetry.MetricPointsTable
  spans: telemetry.SpansTable
  metric_names: telemetry.MetricNamesTable
  telemetry_drops: telemetry.TelemetryDropsTable
  telemetry_settings: telemetry.TelemetrySettingsTable
}

export type Database = Kysely<Schema>
export type Trx = Transaction<Schema>

export interface OpenDatabase {
  db: Database
  /** For LISTEN and for migrations. */
  pool: pg.Pool
  close(): Promise<void>
}

const int8 = pg.types.builtins.INT8
/** Above what the server itself lets a statement take, so that only a connection that has died without a word is given up. */
const silenceMs = 65_000

/**
 * Opens a pool. 64-bit integers are read as numbers: generations, epochs, sequences and sizes stay far below 2^53.
 *
 * A connection on which nothing has passed for `silenceMs` breaks, with the query that waits on it: where a machine or a network went
 * away without a word, TCP alone would hold both for a quarter of an hour. Whoever keeps a connection idle has to say something on it.
 *
 * @param options.size connections at most, 10 by default
 * @param options.silenceMs 65 s by default
 */
export function openDatabase(
  url: string,
  options: { size?: number; silenceMs?: number; onError?: (error: Error) => void } = {},
): OpenDatabase {
  const types: pg.CustomTypesConfig = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: options.size ?? 10,
    types,
    application_name: 'landfall',
    connectionTimeoutMillis: 10_000,
    stream: () => breaksWhenSilent(options.silenceMs ?? silenceMs),
    // A query never holds a connection for ever; a manager that stands still in a transaction holds its locks as long as a lease, no longer.
    options: '-c statement_timeout=60000 -c idle_in_transaction_session_timeout=15000 -c timezone=UTC',
  })
  // A connection that breaks while idle: the pool replaces it; without a listener Node would end the process.
  pool.on('error', options.onError ?? (() => {}))
  // The pool hears only those that are idle: one that breaks under a query ends that query, and must not end the process too.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    pool,
    close: async () => {
      // Kysely ends the pool only when a query went through it.
      await db.destroy()
      if (!pool.ended) await pool.end()
    },
  }
}

function breaksWhenSilent(ms: number): Socket {
  const socket = new Socket()
  socket.setTimeout(ms, () =>
    socket.destroy(new Error(`Connection terminated: the database has been silent for ${ms} ms`)),
  )
  return socket
}
