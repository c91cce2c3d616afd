import { type Digest, sha256 } from '@landfall/stack'
import { type Descriptor, ociTypes } from '../build/oci-layout.ts'
import { workerEntry } from '../build/worker-image.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { Artifact } from '../statement/statement.ts'
import type { BundleStatement } from './bundle-statement.ts'
import { artifactTypes, bundleTypes } from './media-types.ts'

const annotation = (name: 'ref.name' | 'title' | 'version' | 'created') => `org.opencontainers.image.${name}`

export interface Document extends Descriptor {
  bytes: Uint8Array
}

/** A JSON blob in canonical form with its descriptor. */
export function document(mediaType: string, value: unknown): Document {
  const bytes = canonicalBytes(value)
  return { mediaType, digest: sha256(bytes), size: bytes.length, bytes }
}

/** Image config and manifest of a worker: what `writeWorkerImage` writes for the same layer, byte for byte. */
export function workerImage(layer: Pick<Artifact, 'digest' | 'mediaType' | 'size'>): {
  config: Document
  manifest: Document
} {
  const config = document(ociTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['node', '--enable-source-maps', `/${workerEntry}`], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const { digest, mediaType, size } = layer
  const manifest = document(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    config: plain(config),
    layers: [{ mediaType, digest, size }],
  })
  return { config, manifest }
}

/**
 * An OCI artifact manifest over layers of any type. Its config has an image's type and labels, not OCI's empty type: with that
 * `skopeo inspect` would refuse to tell anything.
 */
export function artifactManifest(options: {
  artifactType: string
  createdAt: string
  labels: Record<string, string>
  layers: readonly Descriptor[]
}): { config: Document; manifest: Document } {
  const config = document(ociTypes.config, {
    architecture: 'amd64',
    os: 'linux',
    created: options.createdAt,
    config: { Labels: options.labels },
    rootfs: { type: 'layers', diff_ids: options.layers.map((layer) => layer.digest) },
  })
  const manifest = document(ociTypes.manifest, {
    schemaVersion: 2,
    mediaType: ociTypes.manifest,
    artifactType: options.artifactType,
    config: plain(config),
    layers: options.layers,
    annotations: { [annotation('created')]: options.createdAt, ...options.labels },
  })
  return { config, manifest }
}

/** A layer that a tool writing files would name `title`. */
export function layer(mediaType: string, blob: { digest: Digest; size: number }, title: string): Descriptor {
  return { mediaType, digest: blob.digest, size: blob.size, annotations: { [annotation('title')]: title } }
}

export const releaseRef = (project: string, version: string) => `${project}-${version}`
export const workerRef = (project: string, version: string, resource: string) => `${project}-${version}/${resource}`
export const bundleRef = (project: string) => `${project}/bundle`

/**
 * The bundle's own manifest. The first layers are what trust is built from, in the order of the file: the bundle's envelope,
 * the rotations of the root, the keyset.
 */
export function bundleManifest(
  statement: BundleStatement,
  envelope: { digest: Digest; size: number },
): { config: Document; manifest: Document } {
  const sizes = new Map(statement.blobs.map((blob) => [blob.digest, blob.size]))
  const of = (digest: Digest) => ({ digest, size: sizes.get(digest) ?? 0 })
  return artifactManifest({
    artifactType: artifactTypes.bundle,
    createdAt: statement.createdAt,
    labels: { 'dev.landfall.project': statement.project, 'dev.landfall.releases': `${statement.releases.length}` },
    layers: [
      layer(bundleTypes.bundle, envelope, 'bundle.dsse.json'),
      ...statement.keyset.rotations.map((digest, at) =>
        layer(bundleTypes.rootRotation, of(digest), `root-${at + 2}.dsse.json`),
      ),
      layer(bundleTypes.keyset, of(statement.keyset.digest), 'keyset.dsse.json'),
      ...statement.commands.map(({ id, digest }) => layer(bundleTypes.command, of(digest), `commands/${id}.dsse.json`)),
      ...statement.attachments.map(({ name, mediaType, digest }) => layer(mediaType, of(digest), name)),
    ],
  })
}

/** `index.json`: the bundle first, then what the statement says. */
export function bundleIndex(statement: BundleStatement, manifest: Descriptor): Uint8Array {
  const entry = (ref: string, { digest, size }: { digest: Digest; size: number }) => ({
    mediaType: ociTypes.manifest,
    digest,
    size,
    annotations: { [annotation('ref.name')]: ref },
  })
  return canonicalBytes({
    schemaVersion: 2,
    mediaType: ociTypes.index,
    manifests: [entry(bundleRef(statement.project), manifest), ...statement.index.map((one) => entry(one.ref, one))],
  })
}

export const layoutFile = canonicalBytes({ imageLayoutVersion: '1.0.0' })

export const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size })
