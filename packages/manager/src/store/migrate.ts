import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { LandfallError } from '@landfall/stack'
import type { ClientBase, Pool, PoolClient } from 'pg'

export interface Migration {
  version: number
  name: string
  sql: string
  /** SHA-256 of the file, so that a migration changed after it ran is noticed. */
  checksum: string
}

/** Held by whoever changes the schema of a database, or fills an empty one. */
export const migrationLock = 0x1a2d_fa11

/** The migrations that this build knows, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const folder = new URL('./migrations/', import.meta.url)
  const files = (await readdir(folder)).filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file)).sort()
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, folder), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum }
    }),
  )
}

/**
 * Brings the database to the newest schema this build knows; answers how many migrations ran. One at a time by an
 * advisory lock, so that managers may start at once. Each migration and its record commit together.
 *
 * @throws LandfallError `E_SCHEMA_NEWER`, `E_SCHEMA_CHANGED`
 */
export async function migrate(pool: Pool, migrations?: readonly Migration[]): Promise<number> {
  const known = migrations ?? (await readMigrations())
  const client = await pool.connect()
  try {
    // Session-level: held over several transactions, and given back by the server itself when this process dies.
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    try {
      return await apply(client, known)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [migrationLock])
    }
  } finally {
    client.release()
  }
}

async function apply(client: PoolClient, known: readonly Migration[]): Promise<number> {
  const pending = await pendingOf(client, known)
  for (const migration of pending) {
    await client.query('begin')
    try {
      await run(client, migration)
      await client.query('commit')
    } catch (error) {
      await client.query('rollback')
      throw error
    }
  }
  return pending.length
}

/** The same within a transaction of the caller, who holds `migrationLock`: all of it or nothing. */
export async function migrateWithin(client: ClientBase, known: readonly Migration[]): Promise<void> {
  for (const migration of await pendingOf(client, known)) await run(client, migration)
}

async function run(client: ClientBase, { version, name, checksum, sql }: Migration): Promise<void> {
  await client.query(sql)
  await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
    version,
    name,
    checksum,
  ])
}

async function pendingOf(client: ClientBase, known: readonly Migration[]): Promise<Migration[]> {
  await client.query(`create table if not exists schema_migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`)
  const { rows } = await client.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from schema_migrations order by version',
  )
  refuseNewer(rows, known)
  const applied = new Map(rows.map((row) => [row.version, row]))
  return known.filter((migration) => {
    const before = applied.get(migration.version)
    if (before && before.checksum !== migration.checksum) throw changed(migration)
    return !before
  })
}

function refuseNewer(rows: readonly { version: number }[], known: readonly Migration[]): void {
  const newest = rows.at(-1)?.version ?? 0
  const ours = known.at(-1)?.version ?? 0
  if (newest <= ours) return
  throw new LandfallError({
    code: 'E_SCHEMA_NEWER',
    message: `The database has schema ${newest}; this manager knows schemas up to ${ours}.`,
    hint: 'A newer manager has run on this database. Start that version or a newer one; nothing was changed.',
  })
}

function changed(migration: Migration): LandfallError {
  return new LandfallError({
    code: 'E_SCHEMA_CHANGED',
    message: `Migration ${migration.version} (${migration.name}) ran here with another content than this build has.`,
    hint: 'This build does not come from the release that made the database. Use a released build; nothing was changed.',
  })
}
