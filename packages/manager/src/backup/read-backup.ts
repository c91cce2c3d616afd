import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { z } from 'zod'
import type { BackupSecret } from './backup-key.ts'
import { sha256 } from './create-backup.ts'
import {
  type BackupHead,
  type BackupManifest,
  backupHead,
  backupManifest,
  fileRecord,
  tableEnd,
  tableHead,
} from './manifest.ts'
import { readRecords, record } from './records.ts'
import { broken, unusable } from './refusals.ts'
import { open } from './sealed-stream.ts'

/** What is done with a backup while it is read; each is awaited. */
export interface BackupVisitor {
  head?(head: BackupHead): Promise<void> | void
  table?(table: z.infer<typeof tableHead>): Promise<void> | void
  rows?(bytes: Buffer): Promise<void> | void
  tableEnd?(end: z.infer<typeof tableEnd>): Promise<void> | void
}

export interface ReadBackup {
  head: BackupHead
  manifest: BackupManifest
  masterKey: string | null
}

/**
 * Reads a backup to its end and proves it: every byte under its seal, every table's count and digest, and that all is there. What the
 * visitor did counts only once this returns.
 *
 * @throws LandfallError `E_BACKUP_INVALID`, `E_BACKUP_KEY`, `E_BACKUP_FILE`; whatever the visitor throws
 */
export async function readBackup(file: string, secret: BackupSecret, visitor: BackupVisitor = {}): Promise<ReadBackup> {
  if (!(await stat(file).catch(() => null))?.isFile())
    throw unusable(`There is no backup at ${file}.`, 'Name the file.')
  const gunzip = createGunzip()
  let failure: unknown = null
  // The reader below gets the error from the stream itself, where it may look like zlib's: the first cause counts.
  const fed = pipeline(open(createReadStream(file), secret), gunzip).catch((error: unknown) => {
    failure ??= error
  })
  try {
    const read = await take(readRecords(gunzip), visitor)
    await fed
    if (failure) throw failure
    return read
  } catch (error) {
    gunzip.destroy()
    await fed
    const premature = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_STREAM')
    throw premature && failure ? failure : error
  }
}

async function take(records: ReturnType<typeof readRecords>, visitor: BackupVisitor): Promise<ReadBackup> {
  let head: BackupHead | null = null
  let table: { name: string; rows: number; bytes: number; hash: ReturnType<typeof createHash> } | null = null
  let manifest: BackupManifest | null = null
  let masterKey: string | null = null
  const found: BackupManifest = { head: '', tables: [], files: [] }
  for await (const { type, content } of records) {
    if (manifest) throw broken('something follows its end')
    if (type === 'H' ? head !== null : head === null) throw broken('its records are out of order')
    switch (type) {
      case 'H':
        head = parse(backupHead, content)
        found.head = sha256(record('H', head))
        await visitor.head?.(head)
        break
      case 'T': {
        if (table) throw broken('its records are out of order')
        const begun = parse(tableHead, content)
        table = { name: begun.name, rows: 0, bytes: 0, hash: createHash('sha256') }
        await visitor.table?.(begun)
        break
      }
      case 'D':
        if (!table) throw broken('its records are out of order')
        table.hash.update(content)
        table.bytes += content.length
        for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) table.rows += 1
        await visitor.rows?.(content)
        break
      case 'E': {
        const end = parse(tableEnd, content)
        const same = table?.name === end.name && table.rows === end.rows && table.bytes === end.bytes
        if (!table || !same || table.hash.digest('hex') !== end.sha256)
          throw broken(`its table ${end.name} is not whole`)
        table = null
        found.tables.push(end)
        await visitor.tableEnd?.(end)
        break
      }
      case 'F': {
        const { name, content: text } = parse(fileRecord, content)
        found.files.push({ name, sha256: sha256(text) })
        masterKey = text
        break
      }
      case 'M':
        manifest = parse(backupManifest, content)
        break
      default:
        throw broken('it holds a record that this version does not know')
    }
  }
  if (!head || !manifest || table) throw broken('it is cut off')
  if (JSON.stringify(manifest) !== JSON.stringify(found)) throw broken('its manifest tells of another content')
  return { head, manifest, masterKey }
}

function parse<T extends z.ZodType>(schema: T, content: Buffer): z.output<T> {
  try {
    return schema.parse(JSON.parse(content.toString()))
  } catch {
    throw broken('one of its records has another shape than this version knows')
  }
}
