import { digest, problemsOf, resourceName } from '@landfall/stack'
import { z } from 'zod'
import { keyId, timestamp } from '../../keyset/keyset.ts'
import { deploymentId } from '../bundle-statement.ts'
import { exportInvalid } from './export-errors.ts'

export const exportSchemaId = 'landfall.dev/export/v1'
export const exportPayloadType = 'application/vnd.landfall.export.v1+json'

/** What a file of an export is. */
export const exportKinds = [
  /** Binds the agent's key to its deployment, as JSON: from an agent that does not know whether it is enrolled. */
  'enrolment',
  /** A report of the agent as JSON; several are taken in the order of the file. */
  'status',
  /** One DSSE envelope. */
  'receipt',
  /** The result of one command as JSON; `sealed` says whether only the vendor's key opens its content. */
  'command-result',
  /** OTLP/JSON, one request a line. */
  'telemetry-logs',
  'telemetry-metrics',
  'telemetry-traces',
  /** A signed checkpoint of the audit chain as JSON. */
  'audit-checkpoint',
] as const
export type ExportKind = (typeof exportKinds)[number]

export const maxExportFiles = 5000

export const exportManifest = z.strictObject({
  schema: z.literal(exportSchemaId),
  project: resourceName,
  deployment: deploymentId,
  /** The agent's key. */
  agent: keyId,
  /** Grows with every export of this agent: the vendor's side takes none twice and none older. */
  sequence: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  createdAt: timestamp,
  /** In the order of the file: sorted by name. */
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^(?=.{1,100}$)[a-z][\w-]*(\/[A-Za-z0-9][\w.:-]*)?(\.[a-z]+)?$/),
        kind: z.enum(exportKinds),
        digest,
        size: z.number().int().nonnegative(),
        /** Only of results: whether the content is sealed to the vendor's key. */
        sealed: z.boolean().optional(),
      }),
    )
    .max(maxExportFiles),
})
export type ExportManifest = z.infer<typeof exportManifest>

/** Shape and order. Throws `E_EXPORT_INVALID`. */
export function checkExportManifest(value: unknown): ExportManifest {
  const parsed = exportManifest.safeParse(value)
  if (!parsed.success) throw exportInvalid('it does not have the shape of an export', problemsOf(parsed.error, value))
  for (const [at, file] of parsed.data.files.entries()) {
    const before = parsed.data.files[at - 1]
    if (before && before.name >= file.name) throw exportInvalid('its files are not in order, or one is there twice')
    if ((file.sealed !== undefined) !== (file.kind === 'command-result')) {
      throw exportInvalid('a result does not say whether it is sealed')
    }
  }
  return parsed.data
}
