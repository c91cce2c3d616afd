import { type CommandUpdate, commandUpdate, type Report, report } from '@landfall/contract'
import { type ExportFile, readExport, type VerifyExportOptions } from '@landfall/release'
import { LandfallError, type Problem, problemsOf } from '@landfall/stack'
import { z } from 'zod'

/** The agent's word for where its audit chain stood. */
export const auditCheckpoint = z.strictObject({
  deployment: z.string(),
  number: z.number().int().min(1),
  hash: z.string().max(200),
  at: z.iso.datetime(),
  signature: z.string().max(200),
})
export type AuditCheckpoint = z.infer<typeof auditCheckpoint>

export interface ExportDocuments {
  /** Oldest first. */
  reports: Report[]
  updates: CommandUpdate[]
  checkpoints: AuditCheckpoint[]
}

/** One document, and all of them together: they are in memory at once. */
const maxBytes = { one: 8 * 1024 * 1024, all: 128 * 1024 * 1024 }

/**
 * The documents of an export that `verifyExport` has proved; its telemetry is passed over.
 *
 * @throws LandfallError `E_EXPORT_INVALID` when one does not have its shape or they are too large, and those of reading the file
 */
export async function readDocuments(file: string, options: VerifyExportOptions): Promise<ExportDocuments> {
  const found: ExportDocuments = { reports: [], updates: [], checkpoints: [] }
  let size = 0
  for await (const step of readExport(file, options)) {
    if (step.file.kind === 'status') found.reports.push(await parsed(step, report))
    else if (step.file.kind === 'command-result') found.updates.push(await parsed(step, commandUpdate))
    else if (step.file.kind === 'audit-checkpoint') found.checkpoints.push(await parsed(step, auditCheckpoint))
    else for await (const _ of step.content);
    if (!step.file.kind.startsWith('telemetry-')) size += step.file.size
    if (size > maxBytes.all) throw invalid('its documents are larger than a manager reads at once')
  }
  found.reports.sort((a, b) => a.number - b.number)
  return found
}

async function parsed<T>({ file, content }: ExportFile, schema: z.ZodType<T>): Promise<T> {
  if (file.size > maxBytes.one) throw invalid(`${file.name} is larger than ${maxBytes.one} bytes`)
  const parts: Uint8Array[] = []
  for await (const chunk of content) parts.push(Uint8Array.from(chunk))
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw invalid(`${file.name} is not JSON`)
  }
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw invalid(`${file.name} does not have its shape`, problemsOf(checked.error, value))
}

export function invalid(why: string, problems: readonly Problem[] = []): LandfallError {
  return new LandfallError({
    code: 'E_EXPORT_INVALID',
    message: `The export is not valid: ${why}.`,
    hint: 'The agent and the manager may be of versions that do not go together: update the older one, and export again.',
    problems: problems.slice(0, 20),
  })
}
