import { sha256 } from '@landfall/stack'
import type { ArchiveEntry } from './archive/archive-writer.ts'
import { blobOrder } from './blob-order.ts'
import { blobName } from './blob-plan.ts'
import type { BlobEntry, BundleStatement } from './bundle-statement.ts'
import { bundleIndex, bundleManifest, layoutFile } from './oci-view.ts'

/** A bundle's file: the layout, then what trust is built from, then everything else by digest. */
export function* bundleArchive(
  statement: BundleStatement,
  envelope: Uint8Array,
  entry: (blob: BlobEntry) => ArchiveEntry,
): Generator<ArchiveEntry> {
  const own = bundleManifest(statement, { digest: sha256(envelope), size: envelope.length })
  const written = (name: string, bytes: Uint8Array): ArchiveEntry => ({
    name,
    size: bytes.length,
    digest: sha256(bytes),
    content: () => [bytes],
  })
  yield written('oci-layout', layoutFile)
  yield written('index.json', bundleIndex(statement, own.manifest))
  for (const bytes of [own.manifest.bytes, own.config.bytes, envelope]) yield written(blobName(sha256(bytes)), bytes)
  const { chain, rest } = blobOrder(statement)
  for (const blob of [...chain, ...rest]) yield entry(blob)
}
