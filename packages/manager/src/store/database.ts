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
  rollouts: rollouts.RolloutsTable
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

/**
 * Opens a pool. 64-bit integers are read as numbers: generations, epochs, sequences and sizes stay far below 2^53.
 *
 * @param options.size connections at most, 10 by default
 */
export function openDatabase(
  url: string,
  options: { size?: number; onError?: (error: Error) => void } = {},
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
    // A query or a forgotten transaction never holds a connection for ever.
    options: '-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC',
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
