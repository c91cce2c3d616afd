import type { Digest } from '@landfall/stack'
import { type BlobReader, readBlob } from '../blob/read-blob.ts'
import { type Descriptor, type OciLayoutWriter, ociTypes } from './oci-layout.ts'
import { createTar, readTar } from './tar.ts'

/** The file a worker's process starts with, at the root of its layer; its source map lies beside it. */
export const workerEntry = 'index.mjs'

/**
 * Writes a worker as an OCI image of one layer. The layer is what a release names and what runners unpack; manifest and
 * config follow from it and make the layout readable by any OCI tool. The layer is not compressed, because that would make its
 * digest depend on the version of zlib. It holds no Node: platforms put one below it. The architecture is what OCI asks to
 * be named; the content runs on any.
 */
export async function writeWorkerImage(
  layout: OciLayoutWriter,
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ image: Descriptor; layer: Descriptor }> {
  const layer = await layout.blob(ociTypes.layer, createTar(files))
  const config = await layout.json(ociTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['node', '--enable-source-maps', `/${workerEntry}`], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = await layout.json(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    config,
    layers: [layer],
  })
  return { image: { ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } }, layer }
}

/** A worker's files by name, read from its artifact and checked against the digest. Throws `E_ARTIFACT_DIGEST` or `E_ARTIFACT_INVALID`. */
export async function readWorkerFiles(read: BlobReader, digest: Digest): Promise<Record<string, Uint8Array>> {
  return readTar(await readBlob(read, { digest }))
}
