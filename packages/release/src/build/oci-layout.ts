import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, sha256 } from '@landfall/stack'
import { canonicalBytes } from '../json/canonical-bytes.ts'

/** Media types of the OCI image specification 1.1: https://github.com/opencontainers/image-spec/blob/main/media-types.md */
export const ociTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const

export interface Descriptor {
  mediaType: string
  digest: Digest
  /** Bytes. */
  size: number
  annotations?: Record<string, string>
}

/** Writes an OCI image layout (image-spec 1.1, image-layout.md) of content-addressed blobs into an existing, empty directory. */
export class OciLayoutWriter {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Writes one blob; the same content twice is written once. */
  async blob(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = sha256(bytes)
    const folder = join(this.#dir, 'blobs', 'sha256')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, digest.slice('sha256:'.length)), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  async json(mediaType: string, value: unknown): Promise<Descriptor> {
    return this.blob(mediaType, canonicalBytes(value))
  }

  /** Writes `oci-layout` and `index.json`: without them the directory is not a layout, so they come last. */
  async finish(manifests: readonly Descriptor[]): Promise<void> {
    const index = { schemaVersion: 2, mediaType: ociTypes.index, manifests }
    await writeFile(join(this.#dir, 'index.json'), canonicalBytes(index))
    await writeFile(join(this.#dir, 'oci-layout'), canonicalBytes({ imageLayoutVersion: '1.0.0' }))
  }
}
