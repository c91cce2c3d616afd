import { z } from 'zod'

const digest = z.string().regex(/^[0-9a-f]{64}$/)

/** The first record: what a restore has to know before the rows come. */
export const backupHead = z.strictObject({
  format: z.literal('landfall.dev/backup/v1'),
  id: z.string(),
  takenAt: z.iso.datetime(),
  /** Version of the program that made it. */
  program: z.string(),
  schema: z.int(),
  migrations: z.array(z.strictObject({ version: z.int(), name: z.string(), checksum: digest })),
  /** Ids of the master keys that its data keys are wrapped by: tells of no key, only which. */
  masterKeys: z.array(z.string()),
  /** UTC days with telemetry, as `YYYY-MM-DD`; null: left out. */
  days: z.array(z.iso.date()).nullable(),
})
export type BackupHead = z.infer<typeof backupHead>

export const tableHead = z.strictObject({
  name: z.string(),
  columns: z.array(z.string()),
  sequences: z.array(z.string()),
})
export const tableEnd = z.strictObject({ name: z.string(), rows: z.int(), bytes: z.int(), sha256: digest })
export const fileRecord = z.strictObject({ name: z.literal('master.key'), content: z.string() })

/** The last record: all that has to be there. */
export const backupManifest = z.strictObject({
  head: digest,
  tables: z.array(tableEnd),
  files: z.array(z.strictObject({ name: z.string(), sha256: digest })),
})
export type BackupManifest = z.infer<typeof backupManifest>

/** What a backup holds, for people and machines. */
export interface BackupSummary {
  id: string
  takenAt: string
  schema: number
  rows: number
  /** Of the rows as COPY writes them. */
  bytes: number
  tables: readonly { name: string; rows: number; bytes: number }[]
  telemetry: boolean
  masterKey: boolean
  masterKeys: readonly string[]
}

export function summaryOf(head: BackupHead, { tables, files }: BackupManifest): BackupSummary {
  const sum = (of: 'rows' | 'bytes') => tables.reduce((all, table) => all + table[of], 0)
  return {
    id: head.id,
    takenAt: head.takenAt,
    schema: head.schema,
    rows: sum('rows'),
    bytes: sum('bytes'),
    tables: tables.map(({ name, rows, bytes }) => ({ name, rows, bytes })),
    telemetry: head.days !== null,
    masterKey: files.some(({ name }) => name === 'master.key'),
    masterKeys: head.masterKeys,
  }
}
