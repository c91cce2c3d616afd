import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { sha256 } from '@landfall/stack'
import { type Envelope, signEnvelope } from '../../dsse/envelope.ts'
import { canonicalBytes } from '../../json/canonical-bytes.ts'
import type { Signer } from '../../keys/signing-key.ts'
import { type ArchiveEntry, writeArchive } from '../archive/archive-writer.ts'
import {
  checkExportManifest,
  type ExportKind,
  type ExportManifest,
  exportPayloadType,
  exportSchemaId,
} from './export-manifest.ts'

/** Content in memory, or a file that is streamed. */
export type ExportContent = Uint8Array | { file: string }

export interface CreateExportOptions {
  /** The file to write; replaced whole. */
  out: string
  project: string
  deployment: string
  agent: Signer
  /** One above the last export's; persisted by the agent before it is used. */
  sequence: number
  /** Milliseconds since the epoch. */
  now: number
  /** JSON; proves itself, because it is read before the agent's key is known. */
  enrolment?: unknown
  /** JSON. */
  status?: unknown
  /** Further reports as JSON, oldest first. */
  reports?: readonly unknown[]
  /** As `createReceipt` gives them. */
  receipts?: readonly Envelope[]
  /** The caller says whether a result is sealed; what is not can be read by whoever carries the file. */
  results?: readonly { id: string; sealed: boolean; content: ExportContent }[]
  /** OTLP/JSON, one request a line. */
  telemetry?: Partial<Record<'logs' | 'metrics' | 'traces', ExportContent>>
  /** JSON, as the audit chain's owner signed them. */
  checkpoints?: readonly unknown[]
}

/** Where an export keeps its signed manifest: the first entry. */
export const exportManifestName = 'export.dsse.json'
export const enrolmentName = 'enrolment.json'

/**
 * Writes what a site hands back: a tar with a manifest that the agent signs. The same input gives the same bytes.
 *
 * @throws LandfallError `E_EXPORT_INVALID` when what is given does not fit, `E_DISK_FULL`
 */
export async function createExport(options: CreateExportOptions): Promise<{ size: number; manifest: ExportManifest }> {
  const entries: (ArchiveEntry & { kind: ExportKind; sealed?: boolean })[] = []
  const add = async (name: string, kind: ExportKind, content: ExportContent, sealed?: boolean) => {
    const measured =
      content instanceof Uint8Array ? { digest: sha256(content), size: content.length } : await measure(content)
    entries.push({
      name,
      kind,
      ...measured,
      content: () => (content instanceof Uint8Array ? [content] : createReadStream(content.file)),
      ...(sealed === undefined ? {} : { sealed }),
    })
  }
  if (options.enrolment !== undefined) await add(enrolmentName, 'enrolment', canonicalBytes(options.enrolment))
  for (const [at, report] of (options.reports ?? []).entries()) {
    await add(`status/${String(at + 1).padStart(6, '0')}.json`, 'status', canonicalBytes(report))
  }
  if (options.status !== undefined) await add('status.json', 'status', canonicalBytes(options.status))
  for (const envelope of options.receipts ?? []) {
    const bytes = canonicalBytes(envelope)
    await add(`receipts/${sha256(bytes).slice(7)}.json`, 'receipt', bytes)
  }
  for (const { id, content, sealed } of options.results ?? [])
    await add(`results/${id}`, 'command-result', content, sealed)
  for (const kind of ['logs', 'metrics', 'traces'] as const) {
    const content = options.telemetry?.[kind]
    if (content) await add(`telemetry/${kind}.jsonl`, `telemetry-${kind}`, content)
  }
  for (const checkpoint of options.checkpoints ?? []) {
    const bytes = canonicalBytes(checkpoint)
    await add(`audit/${sha256(bytes).slice(7)}.json`, 'audit-checkpoint', bytes)
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const manifest = checkExportManifest({
    schema: exportSchemaId,
    project: options.project,
    deployment: options.deployment,
    agent: options.agent.id,
    sequence: options.sequence,
    createdAt: new Date(options.now).toISOString(),
    files: entries.map(({ content: _, ...file }) => file),
  })
  const envelope = canonicalBytes(await signEnvelope(exportPayloadType, canonicalBytes(manifest), [options.agent]))
  const first = { name: exportManifestName, size: envelope.length, digest: sha256(envelope), content: () => [envelope] }
  return { size: await writeArchive(options.out, [first, ...entries]), manifest }
}

async function measure({ file }: { file: string }): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk)
    size += chunk.length
  }
  return { digest: `sha256:${hash.digest('hex')}`, size }
}
