import { type Descriptor, ociTypes } from '../build/oci-layout.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import type { BlobPlan } from './blob-plan.ts'
import type { BlobEntry, BundleRelease, BundleStatement } from './bundle-statement.ts'
import type { ReleaseSource } from './create-bundle.ts'
import { unfit } from './create-errors.ts'
import { type Base, readRelease } from './delta.ts'
import { artifactTypes, bundleTypes } from './media-types.ts'
import { collectImage } from './oci-image.ts'
import { artifactManifest, layer, releaseRef, workerImage, workerRef } from './oci-view.ts'

export interface PlannedRelease {
  entry: BundleRelease
  index: BundleStatement['index']
  omitted: BlobEntry[]
}

/** Adds a release to the plan: envelope, SBOM, artifacts (but for those of the base), and the OCI manifests that show them. */
export async function planRelease(
  source: ReleaseSource,
  options: {
    project: string
    plan: BlobPlan
    base: Base
    /** Layers that every release shows: the chain of keys, attachments. */
    shared: readonly Descriptor[]
    imagesElsewhere: boolean | undefined
  },
): Promise<PlannedRelease> {
  const { plan, base, project } = options
  const statement = readRelease(source.envelope)
  if (statement.project !== project) {
    throw unfit(`the release ${statement.version} is of ${statement.project}`, 'One bundle is for one project.')
  }
  const envelope = plan.bytes(canonicalBytes(source.envelope))
  const sbom = statement.sbom ?? (source.sbom && plan.bytes(source.sbom))
  if (statement.sbom) plan.later(statement.sbom, source.blobs)
  const layers = [
    layer(bundleTypes.release, envelope, 'release.dsse.json'),
    ...(sbom ? [layer(bundleTypes.sbom, sbom, 'sbom.cdx.json')] : []),
  ]
  const index: BundleStatement['index'] = []
  const omitted: BlobEntry[] = []
  for (const artifact of statement.artifacts) {
    const blob = { digest: artifact.digest, size: artifact.size }
    if (base.artifacts.has(artifact.digest)) omitted.push(blob)
    else plan.later(blob, source.blobs)
    layers.push(layer(artifact.mediaType, blob, `${artifact.resource}.tar`))
    if (artifact.mediaType !== ociTypes.layer) continue
    const image = workerImage(artifact)
    plan.bytes(image.config.bytes)
    index.push({ ref: workerRef(project, statement.version, artifact.resource), ...plan.bytes(image.manifest.bytes) })
  }
  for (const resource of statement.manifest.resources) {
    if (!('code' in resource) || resource.code.kind !== 'image') continue
    const layoutDir = source.images?.[resource.name]
    if (layoutDir === undefined) {
      if (options.imagesElsewhere) continue
      throw unfit(
        `the image of ${resource.name} was not given`,
        'Give an OCI layout that holds it, or say that the site has its images elsewhere.',
      )
    }
    const image = await collectImage({ reference: resource.code.reference, layoutDir })
    for (const blob of image.blobs) plan.later(blob, image.read)
    index.push({
      ref: workerRef(project, statement.version, resource.name),
      digest: image.root.digest,
      size: image.root.size,
    })
  }
  const shown = artifactManifest({
    artifactType: artifactTypes.release,
    createdAt: statement.createdAt,
    labels: {
      'dev.landfall.channel': statement.channel,
      'dev.landfall.project': project,
      'dev.landfall.sequence': `${statement.sequence}`,
      'org.opencontainers.image.version': statement.version,
    },
    layers: [...layers, ...options.shared],
  })
  plan.bytes(shown.config.bytes)
  index.unshift({ ref: releaseRef(project, statement.version), ...plan.bytes(shown.manifest.bytes) })
  return {
    entry: {
      digest: releaseDigest(source.envelope),
      version: statement.version,
      channel: statement.channel,
      sequence: statement.sequence,
      envelope: envelope.digest,
      ...(sbom ? { sbom: sbom.digest } : {}),
    },
    index,
    omitted,
  }
}
