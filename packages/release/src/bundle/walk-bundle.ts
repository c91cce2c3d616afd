import { truncated } from './archive/archive-errors.ts'
import { ArchiveReader } from './archive/archive-reader.ts'
import type { ByteSource } from './archive/byte-source.ts'
import { blobOrder } from './blob-order.ts'
import { blobName } from './blob-plan.ts'
import type { BlobEntry } from './bundle-statement.ts'
import { archiveBytes, checkTrust, type TrustedHead, type TrustOptions } from './check-trust.ts'
import { type BundleHead, readHead } from './read-head.ts'

export interface BundleVisitor {
  /** The description is proved. False ends the walk here. */
  begin?(trusted: TrustedHead, head: BundleHead): Promise<boolean>
  /** Whether a blob's content need not be read. */
  has?(blob: BlobEntry): boolean
  /** A blob's content, checked at its end: consume it whole, and act on it only then. */
  blob(blob: BlobEntry, content: AsyncIterable<Uint8Array>): Promise<void>
}

/**
 * Reads a bundle from its beginning to its end, checking every byte. Throws `E_ARCHIVE_*` and what `checkTrust` throws.
 */
export async function walkBundle(
  source: ByteSource,
  options: TrustOptions,
  visitor: BundleVisitor,
): Promise<TrustedHead> {
  const reader = new ArchiveReader(source, 'bundle')
  const head = await readHead(reader)
  const trusted = checkTrust(head, options)
  if (visitor.begin && !(await visitor.begin(trusted, head))) return trusted
  // Known now: better than after an hour of copying.
  if (source.size < archiveBytes(trusted.statement, head)) throw truncated('bundle')
  for (const blob of head.chain) {
    if (!visitor.has?.(blob)) await visitor.blob(blob, once(blob.bytes))
  }
  for (const blob of blobOrder(trusted.statement).rest) {
    const name = blobName(blob.digest)
    await reader.open(name, { size: blob.size })
    if (visitor.has?.(blob)) await reader.skip(blob.size)
    else await visitor.blob(blob, reader.verified(blob.size, blob.digest, name))
  }
  await reader.end()
  return trusted
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
