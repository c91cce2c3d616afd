import type { Digest } from '@landfall/stack'
import { envelopePayload, parsePayload } from '../dsse/envelope.ts'
import { ArchiveReader } from './archive/archive-reader.ts'
import { type BundleStatement, bundlePayloadType, checkBundleStatement } from './bundle-statement.ts'
import { archiveBytes, bundleId } from './check-trust.ts'
import { openBundle } from './open-bundle.ts'
import { readHead } from './read-head.ts'

export interface InspectedBundle {
  id: Digest
  /** What it says of itself. Nobody has checked it. */
  statement: BundleStatement
  trusted: false
  /** Ids of the keys that its signatures name, as they say. */
  claimedKeys: string[]
  /** Bytes: the file as it is, and as its description says it should be. */
  size: number
  expectedSize: number
}

/** Reads what a bundle says of itself, without a root and without reading its blobs. Throws `E_BUNDLE_INVALID`, `E_ARCHIVE_*`. */
export async function inspectBundle(input: string): Promise<InspectedBundle> {
  const source = await openBundle(input)
  try {
    const head = await readHead(new ArchiveReader(source, 'bundle'))
    const statement = checkBundleStatement(parsePayload(envelopePayload(head.envelope, bundlePayloadType)))
    return {
      id: bundleId(head),
      statement,
      trusted: false,
      claimedKeys: head.envelope.signatures.map((signature) => signature.keyid),
      size: source.size,
      expectedSize: archiveBytes(statement, head),
    }
  } finally {
    await source.close()
  }
}
