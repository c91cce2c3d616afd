import { type Digest, LandfallError } from '@landfall/stack'
import { z } from 'zod'
import { type BlobReader, readBlob } from '../blob/read-blob.ts'
import { type Descriptor, type OciLayoutWriter, ociTypes } from './oci-layout.ts'
import { createTar, readTar } from './tar.ts'

/** Where a worker's files lie in its image. */
const root = 'app'

/**
 * Writes a worker as an OCI image: one uncompressed layer (compressing would make the digest depend on the version of zlib)
 * with `app/worker.mjs`. It holds no Node: platforms put one below it. The architecture is what OCI asks to be named; the
 * content runs on any.
 */
export async function writeWorkerImage(
  layout: OciLayoutWriter,
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ image: Descriptor; contentSize: number }> {
  const inRoot = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${root}/${path}`, bytes]))
  const layer = await layout.blob(ociTypes.layer, createTar(inRoot))
  const config = await layout.json(ociTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['node', '--enable-source-maps', `/${root}/worker.mjs`], WorkingDir: `/${root}` },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = await layout.json(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    config,
    layers: [layer],
  })
  return {
    image: { ...manifest, annotations: { 'org.opencontainers.image.ref.name': name } },
    contentSize: manifest.size + config.size + layer.size,
  }
}

const descriptor = z.object({ mediaType: z.string(), digest: z.string(), size: z.number().int().nonnegative() })
const imageManifest = z.object({
  mediaType: z.literal(ociTypes.manifest),
  config: descriptor,
  layers: z.array(descriptor).length(1),
})

/** The image's own blobs: itself, its config and its layer. Every blob read is checked against its digest. */
export async function imageBlobs(read: BlobReader, digest: Digest): Promise<Descriptor[]> {
  const bytes = await readBlob(read, { digest })
  const manifest = parseManifest(bytes)
  return [{ mediaType: ociTypes.manifest, digest, size: bytes.length }, manifest.config, ...manifest.layers]
}

/** The files of a worker's image by name (`worker.mjs`, `worker.mjs.map`), every blob checked against its digest. */
export async function readWorkerImage(read: BlobReader, digest: Digest): Promise<Record<string, Uint8Array>> {
  const manifest = parseManifest(await readBlob(read, { digest }))
  const layer = manifest.layers[0]
  if (layer?.mediaType !== ociTypes.layer) throw notAnImage()
  const entries = Object.entries(readTar(await readBlob(read, layer)))
  return Object.fromEntries(entries.map(([path, bytes]) => [path.replace(`${root}/`, ''), bytes]))
}

function parseManifest(bytes: Uint8Array): z.infer<typeof imageManifest> {
  try {
    return imageManifest.parse(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    throw notAnImage()
  }
}

function notAnImage(): LandfallError {
  return new LandfallError({
    code: 'E_ARTIFACT_INVALID',
    message: 'The artifact is not an image that Landfall built.',
    hint: 'Build the release again.',
  })
}
