import type { BlobEntry, BundleStatement } from './bundle-statement.ts'

/** The statement's blobs in the order of the file: the chain of keys, then the rest by digest. */
export function blobOrder(statement: BundleStatement): { chain: BlobEntry[]; rest: BlobEntry[] } {
  const chain = [...statement.keyset.rotations, statement.keyset.digest]
  const inChain = new Set(chain)
  return {
    chain: chain.flatMap((digest) => statement.blobs.filter((blob) => blob.digest === digest)),
    rest: statement.blobs.filter((blob) => !inChain.has(blob.digest)),
  }
}
