import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { LandfallError } from '@landfall/stack'
import type { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { localMasterKey, wrongMasterKey } from '../secrets/master-key.ts'
import { type Migration, migrateWithin, migrationLock, readMigrations } from '../store/migrate.ts'
import type { BackupSecret } from './backup-key.ts'
import { withClient } from './long-client.ts'
import { type BackupHead, type BackupSummary, summaryOf } from './manifest.ts'
import { readBackup } from './read-backup.ts'
import { broken, notEmpty } from './refusals.ts'
import { settleRestored } from './settle-restored.ts'
import { columnList, quoted } from './tables.ts'

export interface RestoreOptions {
  file: string
  secret: BackupSecret
  /** An empty database. */
  databaseUrl: string
  /** The master key that is here already, as 64 hex digits; null: none. */
  masterKey: string | null
  /** Puts the master key of the backup in its place; before the database counts. */
  keepMasterKey: (text: string) => Promise<void>
  now: number
  onTable?: (table: { name: string; rows: number; bytes: number }) => void
}

export interface Restored extends BackupSummary {
  /** Schema that the database has now. */
  migratedTo: number
  /** Whether a master key that opens the data keys is in its place. */
  opens: boolean
}

/**
 * Proves a backup and what it would need here, without writing anything.
 *
 * @throws LandfallError `E_BACKUP_INVALID`, `E_BACKUP_KEY`, `E_SCHEMA_NEWER`, `E_SCHEMA_CHANGED`
 */
export async function checkBackup(
  file: string,
  secret: BackupSecret,
): Promise<{ summary: BackupSummary; masterKey: string | null }> {
  const known = await readMigrations()
  const { head, manifest, masterKey } = await readBackup(file, secret, { head: (read) => requireKnown(read, known) })
  return { summary: summaryOf(head, manifest), masterKey }
}

/**
 * Brings a backup back. It is read twice: proved whole first, then loaded and proved again in one transaction with its schema, the
 * migrations since, and what has to be told apart from the history that is lost (`settleRestored`). So a restore that is killed anywhere
 * leaves an empty database or a whole one.
 *
 * @throws LandfallError `E_RESTORE_NOT_EMPTY`, `E_MASTER_KEY_WRONG`, those of `checkBackup`
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { file, secret } = options
  const { summary, masterKey } = await checkBackup(file, secret)
  const key = masterKey ?? options.masterKey
  const id = key === null ? null : localMasterKey(Buffer.from(key.trim(), 'hex')).id
  if (id !== null && summary.masterKeys.some((wrappedBy) => wrappedBy !== id)) throw wrongMasterKey(id)
  const known = await readMigrations()
  await withClient(options.databaseUrl, async (client) => {
    await client.query('begin')
    try {
      await requireEmpty(client)
      await load(client, options, known)
      if (masterKey !== null) await options.keepMasterKey(masterKey)
      await client.query('commit')
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    }
  })
  return { ...summary, migratedTo: known.at(-1)?.version ?? 0, opens: id !== null }
}

async function load(client: Client, options: RestoreOptions, known: readonly Migration[]): Promise<void> {
  let copy: ReturnType<typeof copyFrom> | null = null
  let sequences: { table: string; column: string }[] = []
  let days: BackupHead['days'] = null
  const { head } = await readBackup(options.file, options.secret, {
    async head(read) {
      requireKnown(read, known)
      await migrateWithin(
        client,
        known.filter(({ version }) => version <= read.schema),
      )
      days = read.days
      for (const day of days ?? []) await client.query('select open_telemetry_day($1)', [day])
    },
    table(table) {
      sequences = sequences.concat(table.sequences.map((column) => ({ table: table.name, column })))
      copy = client.query(copyFrom(`copy ${quoted(table.name)} (${columnList(table)}) from stdin`))
    },
    async rows(bytes) {
      // `once` rejects when the copy fails meanwhile.
      if (copy && !copy.write(bytes)) await once(copy, 'drain')
    },
    async tableEnd(end) {
      if (!copy) throw broken('its records are out of order')
      copy.end()
      await finished(copy, { readable: false })
      if (copy.rowCount !== end.rows) throw broken(`${end.rows} rows of ${end.name} became ${copy.rowCount}`)
      copy = null
      options.onTable?.(end)
    },
  })
  for (const { table, column } of sequences) {
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), coalesce((select max(${quoted(column)}) from ${quoted(table)}), 0) + 1, false)`,
      [quoted(table), column],
    )
  }
  await migrateWithin(client, known)
  await settleRestored(client, { backup: head.id, takenAt: head.takenAt, now: options.now })
}

/** Also keeps a manager that starts meanwhile, and a second restore, from the database until this one is over. */
async function requireEmpty(client: Client): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [migrationLock])
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1 limit 1`,
  )
  if (rows[0]) throw notEmpty(`the database holds ${rows[0].name}`)
}

function requireKnown(head: BackupHead, known: readonly Migration[]): void {
  const ours = known.at(-1)?.version ?? 0
  if (head.schema > ours) {
    throw new LandfallError({
      code: 'E_SCHEMA_NEWER',
      message: `The backup has schema ${head.schema}; this program knows schemas up to ${ours}.`,
      hint: 'Restore it with the version that made it, or a newer one. Nothing was written.',
    })
  }
  for (const { version, name, checksum } of head.migrations) {
    if (known.find((one) => one.version === version)?.checksum === checksum) continue
    throw new LandfallError({
      code: 'E_SCHEMA_CHANGED',
      message: `Migration ${version} (${name}) had another content where the backup was made than this build has.`,
      hint: 'The backup comes from a build that was never released. Restore it with that build. Nothing was written.',
    })
  }
}
