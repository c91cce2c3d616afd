import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startPostgres } from '@landfall/postgres'
import { readMasterKey } from '../secrets/key-file.ts'
import type { BackupSecret } from './backup-key.ts'
import { createBackup } from './create-backup.ts'
import { withClient } from './long-client.ts'
import type { BackupSummary } from './manifest.ts'
import { notEmpty, unusable } from './refusals.ts'
import { checkBackup, type Restored, restoreBackup } from './restore-backup.ts'

type Progress = (table: { name: string; rows: number; bytes: number }) => void

interface Installation {
  /** What `landfall serve --data` was given. */
  dataDir: string
  /** Null: the embedded PostgreSQL in it. */
  databaseUrl: string | null
  /** Null: `master.key` in it. */
  masterKeyFile: string | null
  secret: BackupSecret
  now: number
  onTable?: Progress
}

/** `createBackup` of a manager's directory, whether managers run on it or not. */
export async function backupInstallation(
  options: Installation & { out: string; includeMasterKey: boolean; telemetry: boolean; signal?: AbortSignal },
): Promise<BackupSummary> {
  const { databaseUrl, dataDir, includeMasterKey, masterKeyFile, ...rest } = options
  const keyFile = masterKeyFile ?? join(dataDir, 'master.key')
  if (includeMasterKey) await readMasterKey(keyFile)
  if (databaseUrl === null && !(await exists(join(dataDir, 'postgres', 'data')))) {
    throw unusable(
      `There is no manager's data in ${dataDir}.`,
      'Name its directory by --data, or its PostgreSQL by --database-url.',
    )
  }
  return withDatabase(options, (url) =>
    createBackup({ ...rest, databaseUrl: url, masterKeyFile: includeMasterKey ? keyFile : null }),
  )
}

/** `restoreBackup` into a directory, or into a database beside it. The backup is proved before either is made. */
export async function restoreInstallation(options: Installation & { file: string }): Promise<Restored> {
  const { file, secret, dataDir, now, onTable } = options
  const keyFile = options.masterKeyFile ?? join(dataDir, 'master.key')
  const checked = await checkBackup(file, secret)
  const here = (await exists(keyFile)) ? await keyText(keyFile) : null
  if (here !== null && checked.masterKey !== null && here !== checked.masterKey.trim()) {
    throw notEmpty(`${keyFile} holds another master key than the backup`)
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  return withDatabase(options, (databaseUrl) =>
    restoreBackup({
      file,
      secret,
      databaseUrl,
      now,
      masterKey: here,
      keepMasterKey: (text) => keepKey(keyFile, text),
      ...(onTable ? { onTable } : {}),
    }),
  )
}

async function withDatabase<T>(
  { databaseUrl, dataDir }: Pick<Installation, 'databaseUrl' | 'dataDir'>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  if (databaseUrl !== null) return work(databaseUrl)
  const server = await startPostgres({ directory: join(dataDir, 'postgres') })
  try {
    return await work(server.url)
  } finally {
    // It may be a running manager's, or one that was started meanwhile may have taken it over.
    if (!(await inUse(server.url).catch(() => true))) await server.stop()
  }
}

/** Whether anybody else is connected. */
function inUse(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ used: boolean }>(
      `select exists (select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as used`,
    )
    return rows[0]?.used ?? true
  })
}

async function keyText(file: string): Promise<string> {
  await readMasterKey(file)
  return (await readFile(file, 'utf8')).trim()
}

/** Whole or not at all, and never over another one. */
async function keepKey(file: string, text: string): Promise<void> {
  if (await exists(file)) return
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const part = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(part, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(part, file)
  } finally {
    await handle.close()
    await rm(part, { force: true })
  }
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null
