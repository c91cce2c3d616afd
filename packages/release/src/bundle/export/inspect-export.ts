import { envelopePayload, parseEnvelope, parsePayload } from '../../dsse/envelope.ts'
import { ArchiveReader } from '../archive/archive-reader.ts'
import { openFileSource } from '../archive/byte-source.ts'
import { maxDocumentBytes } from '../limits.ts'
import { exportManifestName } from './create-export.ts'
import { exportRefused } from './export-errors.ts'
import { checkExportManifest, type ExportManifest, exportPayloadType } from './export-manifest.ts'

/**
 * What an export says of itself, to find whose key is to prove it. **Nothing is proved**: that is `verifyExport`.
 *
 * @throws LandfallError `E_EXPORT_NOT_FOUND`, `E_EXPORT_INVALID`, `E_ARCHIVE_*`, those of reading an envelope
 */
export async function inspectExport(file: string): Promise<ExportManifest> {
  const source = await openFileSource(file).catch(() => {
    throw exportRefused('E_EXPORT_NOT_FOUND', `The export ${file} can not be opened.`, { hint: 'Check the path.' })
  })
  try {
    const reader = new ArchiveReader(source, 'export')
    const head = await reader.bytes(await reader.open(exportManifestName, { max: maxDocumentBytes }))
    return checkExportManifest(parsePayload(envelopePayload(parseEnvelope(head.toString('utf8')), exportPayloadType)))
  } finally {
    await source.close()
  }
}
