import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { link, open as openFile, readFile, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { LandfallError } from '@landfall/stack'
import type { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { managerVersion } from '../serve/version.ts'
import { type Migration, readMigrations } from '../store/migrate.ts'
import { newId } from '../store/new-id.ts'
import type { BackupSecret } from './backup-key.ts'
import { withClient } from './long-client.ts'
import { type BackupHead, type BackupManifest, type BackupSummary, summaryOf } from './manifest.ts'
import { dataRecords, record } from './records.ts'
import { unusable } from './refusals.ts'
import { seal } from './sealed-stream.ts'
import { columnList, quoted, readTables, type Table, telemetryTables } from './tables.ts'

export interface BackupOptions {
  databaseUrl: string
  /** Must not exist yet. */
  out: string
  secret: BackupSecret
  /** File of the master key, to be put in too; null: it is kept elsewhere. */
  masterKeyFile: string | null
  /** Logs, metrics and traces too. */
  telemetry: boolean
  now: number
  /** That this program knows; those of this build by default. */
  migrations?: readonly Migration[]
  onTable?: (table: { name: string; rows: number; bytes: number }) => void
  signal?: AbortSignal
}

/**
 * Writes everything that a manager needs into one file, sealed and compressed on its way, while managers go on: one repeatable-read
 * snapshot, read table by table. The file gets its name when it is whole and on the disk.
 *
 * @throws LandfallError `E_BACKUP_FILE`, `E_SCHEMA_NEWER`, `E_MASTER_KEY_FILE`; nothing is left behind then
 */
export async function createBackup(options: BackupOptions): Promise<BackupSummary> {
  const { out, secret, signal } = options
  if (await stat(out).catch(() => null)) throw taken(out)
  const part = `${out}.part-${newId('bak')}`
  let summary: BackupSummary | null = null
  try {
    await withClient(options.databaseUrl, async (client) => {
      await snapshot(client)
      const records = writeRecords(client, options, (made) => {
        summary = made
      })
      await pipeline(
        records,
        createGzip({ level: 4 }),
        (plain: AsyncIterable<Uint8Array>) => seal(plain, secret),
        createWriteStream(part, { flags: 'wx', mode: 0o600 }),
        { ...(signal ? { signal } : {}) },
      )
    })
    const file = await openFile(part, 'r')
    await file.sync().finally(() => file.close())
    // A link never replaces a file.
    await link(part, out).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? taken(out) : error
    })
  } catch (error) {
    throw described(error, out)
  } finally {
    await rm(part, { force: true })
  }
  if (!summary) throw new Error('the records ended without a manifest')
  return summary
}

/** Begins the snapshot, with every table held against being changed in its shape or dropped. */
async function snapshot(client: Client): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const before = await readTables(client)
    if (before.length === 0) throw unusable('There is nothing to back up: the database is empty.', 'Name the database.')
    await client.query('begin isolation level repeatable read read only')
    // A lock takes no snapshot yet: what was locked is what is then read.
    await client.query(`lock table ${before.map(({ name }) => quoted(name)).join(', ')} in access share mode`)
    if (JSON.stringify(await readTables(client)) === JSON.stringify(before)) return
    await client.query('rollback')
    if (attempt >= 4) throw unusable('The tables change while they are read.', 'Wait until the upgrade is done.')
  }
}

async function* writeRecords(
  client: Client,
  options: BackupOptions,
  done: (summary: BackupSummary) => void,
): AsyncGenerator<Buffer> {
  const head = await readHead(client, options)
  const first = record('H', head)
  yield first
  const manifest: BackupManifest = { head: sha256(first), tables: [], files: [] }
  for (const table of await readTables(client)) {
    if (!options.telemetry && telemetryTables.includes(table.name)) continue
    yield record('T', table)
    const end = { name: table.name, rows: 0, bytes: 0, sha256: '' }
    const hash = createHash('sha256')
    for await (const bytes of rowsOf(client, table)) {
      hash.update(bytes)
      end.bytes += bytes.length
      // COPY writes a line for each row, and no other line feed.
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) end.rows += 1
      yield* dataRecords(bytes)
    }
    end.sha256 = hash.digest('hex')
    yield record('E', end)
    manifest.tables.push(end)
    options.onTable?.(end)
  }
  if (options.masterKeyFile !== null) {
    const content = await masterKeyText(options.masterKeyFile)
    manifest.files.push({ name: 'master.key', sha256: sha256(content) })
    yield record('F', { name: 'master.key', content })
  }
  yield record('M', manifest)
  done(summaryOf(head, manifest))
}

const rowsOf = (client: Client, table: Table): AsyncIterable<Buffer> =>
  client.query(copyTo(`copy (select ${columnList(table)} from ${quoted(table.name)}) to stdout`))

async function readHead(client: Client, options: BackupOptions): Promise<BackupHead> {
  const { rows: migrations } = await client.query<BackupHead['migrations'][number]>(
    'select version, name, checksum from schema_migrations order by version',
  )
  const schema = migrations.at(-1)?.version ?? 0
  const ours = (options.migrations ?? (await readMigrations())).at(-1)?.version ?? 0
  if (schema > ours) {
    throw new LandfallError({
      code: 'E_SCHEMA_NEWER',
      message: `The database has schema ${schema}; this program knows schemas up to ${ours}.`,
      hint: 'Make the backup with the version that runs on this database. Nothing was written.',
    })
  }
  const { rows: keys } = await client.query<{ id: string }>(
    'select distinct master_key as id from data_keys order by 1',
  )
  const { rows: days } = await client.query<{ day: string }>(
    `select to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') as day from pg_inherits i
     join pg_class c on c.oid = i.inhrelid where i.inhparent = 'logs'::regclass order by 1`,
  )
  return {
    format: 'landfall.dev/backup/v1',
    id: newId('bak'),
    takenAt: new Date(options.now).toISOString(),
    program: managerVersion,
    schema,
    migrations,
    masterKeys: keys.map(({ id }) => id),
    days: options.telemetry ? days.map(({ day }) => day) : null,
  }
}

async function masterKeyText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (/^[0-9a-f]{64}$/i.test(text.trim())) return `${text.trim()}\n`
  throw new LandfallError({
    code: 'E_MASTER_KEY_FILE',
    message: `The file ${file} does not hold a master key.`,
    hint: 'Name the file with LANDFALL_MASTER_KEY_FILE, or leave --include-master-key out and keep the key elsewhere.',
  })
}

function described(error: unknown, out: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return unusable(`There is no room for ${out}.`, 'Free some, and run it again.')
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EROFS') {
    return unusable(
      `${out} can't be written: ${code}.`,
      'Name a file in a directory that exists and that you may write to.',
    )
  }
  return error
}

const taken = (out: string) =>
  unusable(`${out} is there already.`, 'Name another file: a backup is never written over.')
export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
