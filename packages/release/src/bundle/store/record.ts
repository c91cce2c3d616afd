import { digest, LandfallError, problemsOf } from '@landfall/stack'
import { z } from 'zod'
import { timestamp } from '../../keyset/keyset.ts'
import { bundleAttachment, bundleRelease } from '../bundle-statement.ts'

export const importSchemaId = 'landfall.dev/import/v1'

/** What makes an import visible: written whole, by one rename, after every blob is in its place. */
export const importRecord = z.strictObject({
  schema: z.literal(importSchemaId),
  /** The bundle's id. */
  bundle: digest,
  project: z.string(),
  importedAt: timestamp,
  /** Blob of the bundle's own envelope. */
  envelope: digest,
  keyset: z.strictObject({ version: z.number().int(), digest, rotations: z.array(digest) }),
  /** What may be offered to the engine. */
  releases: z.array(bundleRelease),
  /** Carried but older than what was accepted when it was imported. */
  belowFloor: z.array(bundleRelease),
  commands: z.array(z.strictObject({ id: z.string(), digest, nonce: z.string() })),
  refusedCommands: z.array(z.strictObject({ id: z.string(), code: z.string() })),
  attachments: z.array(bundleAttachment),
  written: z.strictObject({ blobs: z.number().int(), bytes: z.number().int() }),
  present: z.strictObject({ blobs: z.number().int(), bytes: z.number().int() }),
})
export type ImportRecord = z.infer<typeof importRecord>

/** Reads a record back. Throws `E_BUNDLE_STORE`. */
export function parseRecord(text: string, file: string): ImportRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(file, [])
  }
  const parsed = importRecord.safeParse(value)
  if (!parsed.success) throw damaged(file, problemsOf(parsed.error, value))
  return parsed.data
}

function damaged(file: string, problems: { path: string; message: string }[]): LandfallError {
  return new LandfallError({
    code: 'E_BUNDLE_STORE',
    message: `The record of an import at ${file} can not be read.`,
    hint: 'Move the file away and import the bundle again; its blobs are still there and are checked again.',
    problems,
  })
}
