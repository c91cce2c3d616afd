import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, LandfallError } from '@landfall/stack'

/** Content by digest, from anywhere; nothing it gives is trusted. */
export type BlobReader = (digest: Digest) => Promise<Uint8Array | AsyncIterable<Uint8Array>>

/** A worker's bundle is some megabytes; this bounds what a hostile store can make us hold. */
const maxInMemory = 512 * 1024 * 1024

/**
 * Passes chunks on while hashing them, and throws `E_ARTIFACT_DIGEST` at the end when they are not what the digest names,
 * or as soon as there are more than `size` bytes. Whoever consumes it must not act on the content before the end.
 */
export async function* verifyBlob(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: { digest: Digest; size?: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (expected.size !== undefined && length > expected.size) throw wrong(expected.digest)
    hash.update(chunk)
    yield chunk
  }
  const same = `sha256:${hash.digest('hex')}` === expected.digest
  if (!same || (expected.size !== undefined && length !== expected.size)) throw wrong(expected.digest)
}

/** Reads a blob whole and proves it. Throws `E_ARTIFACT_DIGEST` or `E_TOO_LARGE`. */
export async function readBlob(
  read: BlobReader,
  expected: { digest: Digest; size?: number },
  maxBytes = maxInMemory,
): Promise<Uint8Array> {
  const content = await read(expected.digest)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of verifyBlob(content instanceof Uint8Array ? [content] : content, expected)) {
    length += chunk.length
    if (length > maxBytes) {
      throw new LandfallError({
        code: 'E_TOO_LARGE',
        message: `The blob ${expected.digest} is larger than ${maxBytes} bytes.`,
        hint: 'Make the artifact smaller: a worker should not carry data files.',
      })
    }
    parts.push(chunk)
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

/** Blobs of an OCI layout on disk. Throws `E_BLOB_MISSING`. */
export function layoutReader(layoutDir: string): (digest: Digest) => Promise<Uint8Array> {
  return async (digest) => {
    const file = blobPath(layoutDir, digest)
    if (!(await stat(file).catch(() => null))) {
      throw new LandfallError({
        code: 'E_BLOB_MISSING',
        message: `The blob ${digest} is not in the layout.`,
        hint: 'Build the release again.',
      })
    }
    return readFile(file)
  }
}

/** Where a layout keeps a blob. Throws `RangeError` on what is not a sha256 digest, so that no digest leads out of the layout. */
export function blobPath(layoutDir: string, digest: Digest): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest)
  if (!match?.[1]) throw new RangeError('not a sha256 digest')
  return join(layoutDir, 'blobs', 'sha256', match[1])
}

function wrong(digest: Digest): LandfallError {
  return new LandfallError({
    code: 'E_ARTIFACT_DIGEST',
    message: `The content is not what its digest ${digest} names.`,
    hint: 'It was damaged or changed on the way. Get it again; if it stays, build the release again.',
  })
}
