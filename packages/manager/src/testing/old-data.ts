import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { appendAudit } from '../audit/append-audit.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { Schema } from '../store/database.ts'

/** What a manager of schema 0009 may have left behind: at least a row in each of its tables. */
export const oldMasterKey = '0b'.repeat(32)
export const oldSecret = 'sk_live_old'
const at = '2026-10-01T10:00:00.123Z'
const digest = (letter: string) => `sha256:${letter.repeat(64)}`
export const oldTarget = { digest: digest('a'), release: digest('b'), config: digest('c') }

const rows: readonly (readonly [table: string, row: Record<string, unknown>])[] = [
  ['users', { id: 'usr_1', email: 'ada@example.com', name: 'Ada "\\N"\tLovelace\n', operator: true, created_at: at }],
  ['sessions', { hash: Buffer.from('s'), user_id: 'usr_1', created_at: at, last_seen_at: at, expires_at: at }],
  ['invitations', { hash: Buffer.from('i'), user_id: 'usr_1', created_at: at, expires_at: at }],
  ['oidc_logins', { state: Buffer.from('o'), nonce: 'n', verifier: 'v', return_to: '/', expires_at: at }],
  [
    'projects',
    {
      name: 'acme',
      root_public_key: 'k',
      root_key_id: 'k',
      keyset: '{}',
      keyset_version: 1,
      created_at: at,
      created_by: 'ada',
    },
  ],
  ['keysets', { project: 'acme', version: 1, digest: digest('d'), envelope: '{}', put_at: at, put_by: 'ada' }],
  ['members', { project: 'acme', user_id: 'usr_1', role: 'admin' }],
  [
    'tokens',
    {
      id: 'tok_1',
      hash: Buffer.from('t'),
      kind: 'ci',
      name: 'ci',
      prefix: 'lf_ci_',
      project: 'acme',
      created_at: at,
      created_by: 'ada',
      expires_at: at,
    },
  ],
  ['idempotency_keys', { principal: 'ada', key: '1', request_hash: Buffer.from('r'), claimed_at: at, expires_at: at }],
  ['blob_uploads', { id: 'upl_1', started_at: at }],
  ['blob_chunks', { upload: 'upl_1', number: 0, bytes: Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256)) }],
  ['blobs', { project: 'acme', digest: digest('e'), size: 512, upload: 'upl_1', created_at: at }],
  ['channels', { project: 'acme', name: 'stable', plan: '{"waves":[]}', created_at: at }],
  [
    'releases',
    {
      project: 'acme',
      digest: oldTarget.release,
      version: '1.0.0',
      channel: 'stable',
      sequence: 1,
      envelope: '{}',
      statement: '{"a":"ü\\u0001\\n"}',
      signed_by: '[]',
      created_at: at,
      published_at: at,
      published_by: 'ci',
    },
  ],
  ['groups', { project: 'acme', name: 'ring-1' }],
  [
    'deployments',
    {
      id: 'dep_1',
      project: 'acme',
      name: 'globex',
      group_name: 'ring-1',
      channel: 'stable',
      platform: 'local',
      model: 'push',
      environment: '{"directory":"/srv/globex"}',
      prefix: 'globex',
      policy: '{"telemetry":"errors-only","drift":"report"}',
      created_at: at,
      created_by: 'ada',
      target: JSON.stringify(oldTarget),
      config: oldTarget.config,
      requested_generation: 7,
      observed_generation: 7,
      lease_owner: 'gone',
      lease_epoch: 12,
      lease_until: '2026-10-01T10:01:00Z',
      state: JSON.stringify({ phase: 'running', generation: 7, stable: oldTarget }),
      setup_first: true,
    },
  ],
  [
    'deployments',
    {
      id: 'dep_2',
      project: 'acme',
      name: 'initech',
      channel: 'stable',
      platform: 'local',
      model: 'push',
      environment: '{}',
      prefix: 'initech',
      policy: '{"drift":"report"}',
      created_at: at,
      created_by: 'ada',
      config: oldTarget.config,
    },
  ],
  ['inputs', { deployment: 'dep_1', name: 'region', value: '"eu"', set_by: 'ada', set_at: at }],
  [
    'configs',
    {
      deployment: 'dep_1',
      digest: oldTarget.config,
      document: '{"inputs":{"region":"eu"}}',
      created_at: at,
      created_by: 'ada',
    },
  ],
  [
    'targets',
    {
      deployment: 'dep_1',
      generation: 7,
      target: JSON.stringify(oldTarget),
      cause: 'release',
      told_at: at,
      told_by: 'fleet',
    },
  ],
  ['controls', { deployment: 'dep_1', id: 'ctl_1', kind: 'pause', by: 'ada', reason: 'lunch', at }],
  ['gate_answers', { deployment: 'dep_1', gate: 'smoke', status: 'pass', by: 'ada', at }],
  [
    'rollouts',
    {
      id: 'rol_1',
      project: 'acme',
      channel: 'stable',
      release: oldTarget.release,
      version: '1.0.0',
      plan: '{}',
      state: '{"phase":"progressing"}',
      created_at: at,
      created_by: 'ci',
    },
  ],
  ['rollout_controls', { rollout: 'rol_1', id: 'ctl_2', kind: 'pause', by: 'ada', at }],
  ['freezes', { id: 'frz_1', project: 'acme', reason: 'holidays', created_at: at, created_by: 'ada' }],
  [
    'commands',
    {
      deployment: 'dep_1',
      id: 'cmd_1',
      project: 'acme',
      worker: 'api',
      command: 'report',
      input: Buffer.from('sealed'),
      status: 'running',
      attempt: 1,
      created_at: at,
      created_by: 'ada',
      deadline: at,
      lease_owner: 'gone',
      lease_epoch: 3,
    },
  ],
  ['command_output', { deployment: 'dep_1', command: 'cmd_1', number: 1, at, chunk: 'line\r\n' }],
  ['audit_checkpoints', { chain: 'dep_1', number: 1, hash: 'h', at, signature: 's' }],
  ['changes', { project: 'acme', kind: 'deployment', id: 'dep_1', at }],
  ['logs', { deployment: 'dep_1', at, id: 'log_1', severity: 17, body: 'it broke\n\\.', attributes: '{"a":1}' }],
  [
    'metric_points',
    {
      deployment: 'dep_1',
      at,
      worker: 'api',
      version: '1.0.0',
      metric: 'http.server.request.duration',
      value: 0.1,
      histogram: '{"count":3}',
    },
  ],
  ['spans', { deployment: 'dep_1', at, trace: 't', span: 's', name: 'GET', duration_ms: 1.5 }],
  ['telemetry_settings', { project: 'acme', retention_days: 3 }],
]

/** Fills a database of schema 0009. */
export async function fillOldData(pool: pg.Pool): Promise<void> {
  await pool.query(`select open_telemetry_day('2026-10-01')`)
  const dialect = new PostgresDialect({ pool: { connect: () => pool.connect(), end: async () => {} } as never })
  const db = new Kysely<Schema>({ dialect })
  const keyring = await openKeyring(db, localMasterKey(Buffer.from(oldMasterKey, 'hex')), Date.parse(at))
  for (const [table, row] of rows) await insert(pool, table, row)
  const sealed = keyring.seal(oldSecret, 'secret:dep_1:stripe-key:1')
  const secret = { deployment: 'dep_1', name: 'stripe-key', version: 1, sealed, hash: 'h', set_by: 'ada', set_at: at }
  await insert(pool, 'secrets', secret)
  await db.transaction().execute(async (trx) => {
    const entry = { project: 'acme', type: 'old.thing', actor: 'ada', message: 'It happened', at: Date.parse(at) }
    for (const deployment of ['dep_1', 'dep_1', null]) await appendAudit(trx, [{ ...entry, deployment }])
    await appendAudit(trx, [{ ...entry, project: null, deployment: null }])
  })
}

function insert(pool: pg.Pool, table: string, row: Record<string, unknown>) {
  const names = Object.keys(row)
  const holders = names.map((_, index) => `$${index + 1}`)
  return pool.query(`insert into ${table} (${names.join(', ')}) values (${holders.join(', ')})`, Object.values(row))
}
