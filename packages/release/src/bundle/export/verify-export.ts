import { type Digest, sha256 } from '@landfall/stack'
import { type Envelope, envelopePayload, parseEnvelope } from '../../dsse/envelope.ts'
import { canonicalBytes } from '../../json/canonical-bytes.ts'
import type { PublicKey } from '../../keys/signing-key.ts'
import { overLimit } from '../archive/archive-errors.ts'
import { ArchiveReader } from '../archive/archive-reader.ts'
import { openFileSource } from '../archive/byte-source.ts'
import { maxDocumentBytes } from '../limits.ts'
import { type Receipt, verifyReceipt } from '../receipt.ts'
import { requireSignedBy } from '../signed-document.ts'
import { exportManifestName } from './create-export.ts'
import { exportInvalid, exportRefused } from './export-errors.ts'
import { checkExportManifest, type ExportManifest, exportPayloadType } from './export-manifest.ts'

export interface VerifyExportOptions {
  /** The key that the agent enrolled with. */
  agent: PublicKey
  project: string
  deployment: string
  /** The highest sequence taken from this agent; 0 for none. */
  lastSequence: number
  /** Bytes of the whole file; 4 GiB by default. */
  maxBytes?: number
}

export interface VerifiedExport {
  /** Digest of the signed manifest. */
  id: Digest
  manifest: ExportManifest
  receipts: Receipt[]
}

/** One file of an export, with content that is checked at its end. */
export interface ExportFile {
  file: ExportManifest['files'][number]
  content: AsyncIterable<Uint8Array>
}

/**
 * Proves an export whole, and changes nothing: signature, every digest, that it is this deployment's and newer than the last.
 * Taking its content comes after, by `readExport`: nothing is taken from an export that is damaged at its end.
 *
 * @throws LandfallError `E_EXPORT_INVALID`, `E_EXPORT_DEPLOYMENT`, `E_EXPORT_REPLAYED`, `E_RECEIPT_INVALID`, `E_ARCHIVE_*`,
 *   `E_SIGNATURE_*`, `E_KEY_UNKNOWN`
 */
export async function verifyExport(file: string, options: VerifyExportOptions): Promise<VerifiedExport> {
  const receipts: Receipt[] = []
  let proved: { id: Digest; manifest: ExportManifest } | undefined
  for await (const step of walk(file, options)) {
    if ('manifest' in step) {
      proved = step
      continue
    }
    const parts: Uint8Array[] = []
    const isReceipt = step.file.kind === 'receipt'
    if (isReceipt && step.file.size > maxDocumentBytes) throw exportInvalid('a receipt in it is too large')
    for await (const chunk of step.content) if (isReceipt) parts.push(chunk)
    if (isReceipt) receipts.push(verifyReceipt(parse(Buffer.concat(parts)), options))
  }
  if (!proved) throw exportInvalid('it is empty')
  return { ...proved, receipts }
}

/**
 * Gives the files of an export one by one, in order; each must be consumed to its end before the next. Call it only with what
 * `verifyExport` has proved: the file is checked again on the way, so a swapped one is still refused, but later.
 */
export async function* readExport(file: string, options: VerifyExportOptions): AsyncGenerator<ExportFile> {
  for await (const step of walk(file, options)) if ('content' in step) yield step
}

async function* walk(
  file: string,
  options: VerifyExportOptions,
): AsyncGenerator<{ id: Digest; manifest: ExportManifest } | ExportFile> {
  const source = await openFileSource(file).catch((cause: unknown) => {
    throw exportRefused('E_EXPORT_NOT_FOUND', `The export ${file} can not be opened.`, {
      hint: cause instanceof Error && 'code' in cause ? `The system says ${String(cause.code)}.` : 'Check the path.',
    })
  })
  try {
    const max = options.maxBytes ?? 4 * 1024 ** 3
    if (source.size > max) throw overLimit('export', `it has ${source.size} bytes; at most ${max} are taken`)
    const reader = new ArchiveReader(source, 'export')
    const bytes = await reader.bytes(await reader.open(exportManifestName, { max: maxDocumentBytes }))
    const envelope = parse(bytes)
    const manifest = requireSignedBy(envelope, {
      payloadType: exportPayloadType,
      what: 'export',
      key: options.agent,
      parse: checkExportManifest,
    })
    requireExpected(manifest, options)
    yield { id: sha256(envelopePayload(envelope, exportPayloadType)), manifest }
    for (const entry of manifest.files) {
      await reader.open(entry.name, { size: entry.size })
      const end = reader.position + entry.size
      yield { file: entry, content: reader.verified(entry.size, entry.digest, entry.name) }
      if (reader.position < end) throw new TypeError(`${entry.name} was not read to its end`)
    }
    await reader.end()
  } finally {
    await source.close()
  }
}

function requireExpected(manifest: ExportManifest, options: VerifyExportOptions): void {
  const { deployment, project, agent, lastSequence } = options
  if (manifest.deployment !== deployment || manifest.project !== project || manifest.agent !== agent.id) {
    throw exportRefused(
      'E_EXPORT_DEPLOYMENT',
      `The export is of the deployment ${manifest.deployment} (${manifest.project}), not of ${deployment} (${project}).`,
      { hint: 'Check which site the file came from.' },
    )
  }
  if (manifest.sequence <= lastSequence) {
    throw exportRefused(
      'E_EXPORT_REPLAYED',
      `The export has number ${manifest.sequence}; number ${lastSequence} was taken already.`,
      { hint: 'It was imported before, or is older than what was. Take the newest export of the site.' },
    )
  }
}

/** An envelope in the one spelling that we write, so that a manifest has no second one. */
function parse(bytes: Buffer): Envelope {
  const envelope = parseEnvelope(bytes.toString('utf8'))
  if (!bytes.equals(canonicalBytes(envelope))) throw exportInvalid('an envelope in it is not in canonical form')
  return envelope
}
