import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Digest, sha256 } from '@landfall/stack'
import type { BlobReader } from '../blob/read-blob.ts'
import type { ArchiveEntry } from './archive/archive-writer.ts'
import type { BlobEntry } from './bundle-statement.ts'

/** Collects what goes into a bundle, each content once, without reading what can be read later. */
export class BlobPlan {
  readonly #blobs = new Map<Digest, { size: number; content: ArchiveEntry['content'] }>()

  bytes(bytes: Uint8Array): BlobEntry {
    const digest = sha256(bytes)
    this.#blobs.set(digest, { size: bytes.length, content: () => [bytes] })
    return { digest, size: bytes.length }
  }

  /** Content that `read` will give by its digest, when it is written. */
  later(blob: BlobEntry, read: BlobReader): BlobEntry {
    if (!this.#blobs.has(blob.digest))
      this.#blobs.set(blob.digest, { size: blob.size, content: () => read(blob.digest) })
    return blob
  }

  /** A file, read once now for its digest and once more when it is written; a change in between is an error then. */
  async file(path: string): Promise<BlobEntry> {
    const hash = createHash('sha256')
    let size = 0
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk)
      size += chunk.length
    }
    const digest = `sha256:${hash.digest('hex')}`
    this.#blobs.set(digest, { size, content: () => createReadStream(path) })
    return { digest, size }
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest)
  }

  /** Every blob, sorted by digest. */
  list(): BlobEntry[] {
    return [...this.#blobs]
      .map(([digest, { size }]) => ({ digest, size }))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
  }

  /** A planned blob as an entry of the archive. */
  entry({ digest, size }: BlobEntry): ArchiveEntry {
    const blob = this.#blobs.get(digest)
    return { name: blobName(digest), size, digest, content: () => blob?.content() ?? [] }
  }
}

/** Where an OCI layout keeps a blob. */
export const blobName = (digest: Digest): string => `blobs/sha256/${digest.slice('sha256:'.length)}`
