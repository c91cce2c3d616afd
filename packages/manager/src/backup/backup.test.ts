import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkpointKey } from '../audit/checkpoint-key.ts'
import { verifyChain } from '../audit/verify-chain.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import { type OpenDatabase, openDatabase } from '../store/database.ts'
import { migrate, readMigrations } from '../store/migrate.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { fillOldData, oldMasterKey, oldSecret } from '../testing/old-data.ts'
import { type BackupOptions, createBackup } from './create-backup.ts'
import { checkBackup, restoreBackup } from './restore-backup.ts'
import { leftOut } from './tables.ts'

const secret = { kind: 'key' as const, key: Buffer.alloc(32, 5) }
const now = Date.UTC(2026, 10, 21)
let server: TestServer
let directory: string
let url: string
let source: OpenDatabase
let made = 0
const opened: OpenDatabase[] = []
const path = () => join(directory, `b${++made}.lfbackup`)
const open = (at: string) => {
  const database = openDatabase(at, { size: 4 })
  opened.push(database)
  return database
}
const take = (options: Partial<BackupOptions> = {}) =>
  createBackup({ databaseUrl: url, out: path(), secret, masterKeyFile: null, telemetry: true, now, ...options })
const restore = async (file: string, to: string, more: Partial<Parameters<typeof restoreBackup>[0]> = {}) =>
  restoreBackup({ file, secret, databaseUrl: to, masterKey: oldMasterKey, keepMasterKey: async () => {}, now, ...more })
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  )
const tablesOf = async ({ pool }: OpenDatabase) => {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  )
  return rows.map(({ name }) => name)
}
const read = async ({ pool }: OpenDatabase, table: string): Promise<Record<string, unknown>[]> =>
  (await pool.query(`select to_jsonb(t) as row from ${table} t order by t::text`)).rows.map(({ row }) => row)

beforeAll(async () => {
  server = await startTestServer()
  directory = mkdtempSync(join(tmpdir(), 'landfall-backup-'))
  url = (await server.empty()).url
  source = open(url)
  await migrate(
    source.pool,
    (await readMigrations()).filter(({ version }) => version <= 9),
  )
  await fillOldData(source.pool)
})
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()))
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('a backup of schema 0009', () => {
  it('has a row of every table, is restored, and is then what the migrations since make of it', async () => {
    for (const table of await tablesOf(source)) expect(await read(source, table), table).not.toHaveLength(0)
    const file = path()
    const summary = await take({ out: file })
    expect(summary).toMatchObject({ schema: 9, telemetry: true, masterKey: false })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory).filter((name) => name.includes('part'))).toEqual([])
    const to = (await server.empty()).url
    const restored = await restore(file, to)
    expect(restored).toMatchObject({ migratedTo: (await readMigrations()).at(-1)?.version, opens: true })
    const database = open(to)
    expect(await migrate(database.pool)).toBe(0)
    // The same by migrations alone, without a backup in between: the two roads must end alike.
    const template = (await server.empty()).url
    const other = open(template)
    await migrate(
      other.pool,
      (await readMigrations()).filter(({ version }) => version <= 9),
    )
    await fillOldData(other.pool)
    await migrate(other.pool)
    expect(await tablesOf(database)).toEqual(await tablesOf(other))
    // What a restore changes on purpose, and what the second filling seals anew.
    const own: Record<string, string[]> = {
      deployments: ['lease_owner', 'lease_until', 'lease_epoch', 'requested_generation', 'requested_at'],
      rollouts: ['lease_owner', 'lease_until', 'lease_epoch', 'requested_generation', 'requested_at'],
      commands: ['lease_owner', 'lease_until', 'lease_epoch'],
      schema_migrations: ['applied_at'],
      logs: ['xid'],
      data_keys: ['id', 'wrapped'],
      secrets: ['sealed'],
    }
    // In an order of what is compared: the keys of both fillings have ids by chance.
    const without = (table: string, rows: Record<string, unknown>[]) =>
      rows
        .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !own[table]?.includes(name))))
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    let compared = 0
    for (const table of await tablesOf(database)) {
      if (['changes', 'sessions', 'oidc_logins', 'audit_heads', 'audit_entries'].includes(table)) continue
      const rows = without(table, await read(database, table))
      expect(rows, table).toEqual(without(table, await read(other, table)))
      compared += rows.length
    }
    expect(compared).toBeGreaterThan(25)
    for (const table of leftOut.filter((name) => name !== 'schema_migrations')) {
      expect(await read(database, table), table).toHaveLength(0)
    }
    const [globex] = await database.db.selectFrom('deployments').selectAll().where('id', '=', 'dep_1').execute()
    // 0010: the setting moved from the policy to the customer. Settled: nobody holds it, and its numbers are above what was given.
    expect(globex).toMatchObject({
      phase: 'running',
      customer: { telemetry: 'errors-only', updates: 'automatic' },
      policy: { drift: 'report' },
      lease_owner: null,
      lease_epoch: now / 1_000,
      requested_generation: now / 1_000,
      observed_generation: 7,
    })
    const keyring = await openKeyring(database.db, localMasterKey(Buffer.from(oldMasterKey, 'hex')), now)
    const { sealed } = await database.db.selectFrom('secrets').select('sealed').executeTakeFirstOrThrow()
    expect(keyring.open(sealed, 'secret:dep_1:stripe-key:1').toString()).toBe(oldSecret)
  })

  it('leaves each audit chain whole, with its gap named', async () => {
    const file = path()
    await take({ out: file })
    const to = (await server.empty()).url
    await restore(file, to)
    const { db, pool } = open(to)
    const keyring = await openKeyring(db, localMasterKey(Buffer.from(oldMasterKey, 'hex')), now)
    // The filling's checkpoint was no real one.
    await pool.query('alter table audit_checkpoints disable trigger all')
    await db.deleteFrom('audit_checkpoints').execute()
    for (const [chain, length] of [
      ['dep_1', 3],
      ['project:acme', 2],
      ['landfall', 2],
    ] as const) {
      expect(await verifyChain(db, chain, checkpointKey(keyring)), chain).toMatchObject({ ok: true, entries: length })
      const entries = await db
        .selectFrom('audit_entries')
        .selectAll()
        .where('chain', '=', chain)
        .orderBy('number')
        .execute()
      expect(entries.at(-1)).toMatchObject({
        type: 'database.restored',
        data: { number: length - 1, hash: entries.at(-2)?.hash },
      })
    }
  })

  it('holds nothing in plain', async () => {
    const file = path()
    await take({ out: file, secret: { kind: 'passphrase', text: 'correct horse battery' } })
    const bytes = readFileSync(file)
    for (const text of ['globex', 'ada@example.com', 'sha256:', 'create', oldSecret])
      expect(bytes.includes(text), text).toBe(false)
    expect(await code(checkBackup(file, secret))).toBe('E_BACKUP_KEY')
    expect(await code(checkBackup(file, { kind: 'passphrase', text: 'correct horse batterz' }))).toBe(
      'E_BACKUP_INVALID',
    )
    const { summary } = await checkBackup(file, { kind: 'passphrase', text: 'correct horse battery' })
    expect(summary.schema).toBe(9)
  })
})

describe('a backup that is not as it was', () => {
  it('is refused at each cut and each changed byte, before anything is written', { timeout: 120_000 }, async () => {
    const file = path()
    await take({ out: file })
    const bytes = readFileSync(file)
    const wrong = path()
    const to = (await server.empty()).url
    const refused = async (content: Buffer, what: string) => {
      writeFileSync(wrong, content)
      expect(await code(restore(wrong, to)), what).toMatch(/^E_BACKUP_(INVALID|KEY)$/)
    }
    const step = Math.max(1, Math.floor(bytes.length / 60))
    for (let at = 0; at < bytes.length; at += at < 200 ? 7 : step) {
      await refused(bytes.subarray(0, at), `cut at ${at}`)
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      await refused(changed, `changed at ${at}`)
    }
    await refused(bytes.subarray(0, -1), 'one byte less')
    await refused(Buffer.concat([bytes, Buffer.of(0)]), 'one byte more')
    await refused(Buffer.concat([bytes, bytes]), 'twice')
    expect(await code(restore(file, to, { secret: { kind: 'key', key: Buffer.alloc(32, 6) } }))).toBe(
      'E_BACKUP_INVALID',
    )
    expect(await tablesOf(open(to))).toEqual([])
  })

  it('is refused with a newer schema, and with the master key of another installation', async () => {
    const newer = (await server.empty()).url
    const database = open(newer)
    await migrate(database.pool)
    const file = path()
    // A backup of a newer program: the head says so. Its schema is made up only after the program that writes it has looked.
    await database.pool.query(
      `insert into schema_migrations (version, name, checksum) values (14000, 'later', repeat('0', 64))`,
    )
    expect(await code(take({ databaseUrl: newer, out: file }))).toBe('E_SCHEMA_NEWER')
    const all = await readMigrations()
    const later = { version: 9_999, name: 'later', sql: 'select 1', checksum: '0'.repeat(64) }
    await database.pool.query('delete from schema_migrations where version = 14000')
    await migrate(database.pool, [...all, later])
    await take({ databaseUrl: newer, out: file, migrations: [...all, later] })
    const to = (await server.empty()).url
    expect(await code(restore(file, to))).toBe('E_SCHEMA_NEWER')
    const old = path()
    await take({ out: old })
    expect(await code(restore(old, to, { masterKey: 'cd'.repeat(32) }))).toBe('E_MASTER_KEY_WRONG')
    expect(await tablesOf(open(to))).toEqual([])
  })

  it('is refused where something is already', async () => {
    const file = path()
    await take({ out: file })
    expect(await code(restore(file, url))).toBe('E_RESTORE_NOT_EMPTY')
    expect(await code(take({ out: file }))).toBe('E_BACKUP_FILE')
    expect(await code(take({ out: join(directory, 'none', 'b') }))).toBe('E_BACKUP_FILE')
    expect(await code(take({ databaseUrl: (await server.empty()).url }))).toBe('E_BACKUP_FILE')
  })
})

describe('a backup while managers write', () => {
  it('is one moment: what is written in one transaction is in it whole or not at all', {
    timeout: 60_000,
  }, async () => {
    const busy = await server.database()
    const { pool } = busy
    await pool.query(`insert into blob_uploads (id, started_at) values ('upl_x', now())`)
    await pool.query(`insert into users (id, email, name, created_at) values ('usr_0', 'a@example.com', 'a', now())`)
    let stop = false
    let written = 0
    const writing = (async () => {
      for (; !stop; written++) {
        // Two tables far apart in the order of the backup.
        await pool.query(
          `with a as (insert into users (id, email, name, created_at) values ($1, $2, 'b', now()))
          insert into audit_checkpoints (chain, number, hash, at, signature) values ('x', $3, 'h', now(), 's')`,
          [`usr_x${written}`, `b${written}@example.com`, written],
        )
      }
    })()
    // Enough for the backup to take a while.
    for (let number = 0; number < 20; number++) {
      await pool.query(
        `insert into blob_chunks (upload, number, bytes) select 'upl_x', $1, decode(repeat(md5(random()::text), 20000), 'hex')`,
        [number],
      )
    }
    const before = written
    const file = path()
    const summary = await take({ databaseUrl: busy.url, out: file })
    stop = true
    await writing
    const rows = (name: string) => summary.tables.find((table) => table.name === name)?.rows ?? 0
    expect(rows('audit_checkpoints')).toBeGreaterThanOrEqual(before)
    expect(written).toBeGreaterThan(before)
    expect(rows('users')).toBe(rows('audit_checkpoints') + 1)
    const to = (await server.empty()).url
    await restore(file, to, { masterKey: null })
    const { rows: counts } = await open(to).pool.query(
      `select (select count(*) from users) as users, (select sum(octet_length(bytes)) from blob_chunks) as bytes`,
    )
    expect(counts[0]).toEqual({ users: rows('users'), bytes: 6_400_000 })
  })
})
