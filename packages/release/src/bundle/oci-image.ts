import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digest as digestSchema, LandfallError } from '@landfall/stack'
import { z } from 'zod'
import { type BlobReader, layoutReader, readBlob } from '../blob/read-blob.ts'
import type { BlobEntry } from './bundle-statement.ts'
import { maxDocumentBytes } from './limits.ts'

const descriptor = z.object({ digest: digestSchema, size: z.number().int().nonnegative() })
/** An image manifest or an index of them; the rest of either is not ours to judge. */
const node = z.object({
  config: descriptor.optional(),
  layers: z.array(descriptor).max(1000).default([]),
  manifests: z.array(descriptor).max(200).default([]),
})

export interface CollectedImage {
  /** The image's manifest or index. */
  root: BlobEntry
  blobs: BlobEntry[]
  read: BlobReader
}

/**
 * Finds everything that belongs to an image given by digest in an OCI layout directory, such as `skopeo copy` writes: its manifest
 * (or index, with all platforms), configs and layers.
 *
 * @param options.reference such as `ghcr.io/acme/api@sha256:…`; only the digest counts
 * @throws LandfallError `E_BUNDLE_SOURCE`, `E_BLOB_MISSING`, `E_ARTIFACT_DIGEST`
 */
export async function collectImage(options: { reference: string; layoutDir: string }): Promise<CollectedImage> {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(options.reference)?.[1]
  const index = node.safeParse(await json(join(options.layoutDir, 'index.json')))
  const root = index.data?.manifests.find((entry) => entry.digest === digest)
  if (!digest || !root) {
    throw new LandfallError({
      code: 'E_BUNDLE_SOURCE',
      message: `The image ${options.reference} is not in the OCI layout that was given for it.`,
      hint: `Fetch it with: skopeo copy docker://${options.reference} oci:DIRECTORY`,
    })
  }
  const read = layoutReader(options.layoutDir)
  const blobs = new Map<Digest, number>()
  const open = [root]
  for (let next = open.pop(); next; next = open.pop()) {
    if (blobs.has(next.digest)) continue
    blobs.set(next.digest, next.size)
    const parsed = node.parse(JSON.parse(Buffer.from(await readBlob(read, next, maxDocumentBytes)).toString('utf8')))
    for (const leaf of [...parsed.layers, ...(parsed.config ? [parsed.config] : [])]) blobs.set(leaf.digest, leaf.size)
    open.push(...parsed.manifests)
  }
  return { root, blobs: [...blobs].map(([name, size]) => ({ digest: name, size })), read }
}

async function json(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => 'null')
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
