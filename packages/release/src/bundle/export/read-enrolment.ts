import { envelopePayload, parseEnvelope, parsePayload } from '../../dsse/envelope.ts'
import { ArchiveReader } from '../archive/archive-reader.ts'
import { openFileSource } from '../archive/byte-source.ts'
import { maxDocumentBytes } from '../limits.ts'
import { enrolmentName, exportManifestName } from './create-export.ts'
import { exportRefused } from './export-errors.ts'
import { checkExportManifest, exportPayloadType } from './export-manifest.ts'

/**
 * The enrolment that an export carries, as JSON; null where it has none. **Nothing is proved**: its own proof (an HMAC under the
 * token of the setup) says whether its key is to be believed; only then `verifyExport` can prove the rest by that key.
 *
 * @throws LandfallError `E_EXPORT_NOT_FOUND`, `E_EXPORT_INVALID`, `E_ARCHIVE_*`, those of reading an envelope
 */
export async function readEnrolment(file: string): Promise<unknown> {
  const source = await openFileSource(file).catch(() => {
    throw exportRefused('E_EXPORT_NOT_FOUND', `The export ${file} can not be opened.`, { hint: 'Check the path.' })
  })
  try {
    const reader = new ArchiveReader(source, 'export')
    const head = await reader.bytes(await reader.open(exportManifestName, { max: maxDocumentBytes }))
    const payload = envelopePayload(parseEnvelope(head.toString('utf8')), exportPayloadType)
    const { files } = checkExportManifest(parsePayload(payload))
    for (const entry of files) {
      if (entry.name > enrolmentName) return null
      await reader.open(entry.name, { size: entry.size })
      if (entry.name !== enrolmentName || entry.kind !== 'enrolment') await reader.skip(entry.size)
      else if (entry.size <= maxDocumentBytes) {
        const parts = []
        for await (const chunk of reader.verified(entry.size, entry.digest, entry.name)) parts.push(chunk)
        return parsePayload(Buffer.concat(parts))
      } else throw exportRefused('E_EXPORT_INVALID', 'The enrolment in it is too large.', { hint: 'Get it again.' })
    }
    return null
  } finally {
    await source.close()
  }
}
