import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LandfallError, type Manifest, manifest as manifestSchema, type Resource } from '@landfall/stack'
import { type BundledWorker, releaseSbom } from '../sbom/release-sbom.ts'
import { type Artifact, type Provenance, releaseVersion, type SbomRef, sbomType } from '../statement/statement.ts'
import { bundleWorker } from './bundle-worker.ts'
import { type Descriptor, OciLayoutWriter } from './oci-layout.ts'
import { configFileName } from './project-file.ts'
import { readGit, readInputs } from './provenance.ts'
import { workerEntry, writeWorkerImage } from './worker-image.ts'

export const builderName = 'landfall/0.1.0'

export interface BuildOptions {
  /** The project's directory: what `source` paths are relative to. */
  dir: string
  /** As `loadConfig` gives it. */
  manifest: Manifest
  version: string
  /** Where the layout goes; replaced whole. Default: `<dir>/.landfall/releases/<version>`. */
  out?: string
  /** Milliseconds since the epoch. Default: the clock. */
  now?: number
  /** What the caller knows better than git does, such as a commit that CI names. */
  provenance?: Partial<Pick<Provenance, 'commit' | 'dirty' | 'repository' | 'builder'>>
  /** Told before each worker is built. */
  onProgress?: (worker: string) => void
}

export interface BuiltRelease {
  /** An OCI image layout. */
  layoutDir: string
  /** The manifest with every `source` replaced by the artifact built from it. */
  manifest: Manifest
  artifacts: Artifact[]
  /** Its bill of materials (CycloneDX), a blob of the layout. */
  sbom: SbomRef
  provenance: Provenance
}

/**
 * Builds every worker with a `source` into an OCI image layout. The same sources give the same artifacts' digests, in any
 * directory and at any time. The layout appears whole or not at all.
 *
 * @throws LandfallError `E_RELEASE_VERSION`, `E_BUILD_SOURCE`, `E_BUILD_UNSUPPORTED`, `E_SBOM_INCOMPLETE`
 */
export async function buildRelease(options: BuildOptions): Promise<BuiltRelease> {
  const { dir, version } = options
  requireVersion(version)
  const layoutDir = options.out ?? join(dir, '.landfall', 'releases', version)
  await mkdir(dirname(layoutDir), { recursive: true })
  const temporary = await mkdtemp(`${layoutDir}.building-`)
  try {
    const layout = new OciLayoutWriter(temporary)
    const images: Descriptor[] = []
    const artifacts: Artifact[] = []
    const inputs: Provenance['inputs'] = await readInputs(join(dir, configFileName)).catch(() => [])
    const resources: Resource[] = []
    const workers: BundledWorker[] = []
    const builtAt = new Date(options.now ?? Date.now()).toISOString()
    for (const resource of options.manifest.resources) {
      refuseUnsupported(resource)
      if (!('code' in resource) || resource.code.kind !== 'source') {
        resources.push(resource)
        continue
      }
      options.onProgress?.(resource.name)
      const bundle = await bundleWorker({ name: resource.name, dir, entry: resource.code.entry })
      const { image, layer } = await writeWorkerImage(layout, resource.name, bundle.files)
      images.push(image)
      const { digest, mediaType, size } = layer
      artifacts.push({ resource: resource.name, digest, mediaType, size })
      workers.push({
        name: resource.name,
        digest,
        packages: bundle.packages,
        sourceMap: bundle.files[`${workerEntry}.map`] ?? new Uint8Array(),
      })
      inputs.push({ name: `worker:${resource.name}`, digest: bundle.inputs })
      resources.push({ ...resource, code: { kind: 'artifact', digest, mediaType, size } })
    }
    const built = manifestSchema.parse({ ...options.manifest, resources })
    const sbom = await layout.blob(sbomType, releaseSbom({ manifest: built, version, createdAt: builtAt, workers }))
    await layout.finish(images)
    await rm(layoutDir, { recursive: true, force: true })
    await rename(temporary, layoutDir)
    return {
      layoutDir,
      manifest: built,
      sbom: { digest: sbom.digest, size: sbom.size },
      artifacts: artifacts.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
      provenance: {
        ...(await readGit(dir)),
        builder: builderName,
        ...options.provenance,
        builtAt,
        inputs: inputs.sort((a, b) => (a.name < b.name ? -1 : 1)),
      },
    }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** The version is part of a path that is replaced whole. */
function requireVersion(version: string): void {
  const checked = releaseVersion.safeParse(version)
  if (checked.success) return
  throw new LandfallError({
    code: 'E_RELEASE_VERSION',
    message: `This can't be the version of a release: ${checked.error.issues[0]?.message}.`,
    hint: 'Give one such as 1.4.0 or 2026-11-21.3.',
  })
}

function refuseUnsupported(resource: Resource): void {
  if (resource.type === 'manifests') {
    throw new LandfallError({
      code: 'E_BUILD_UNSUPPORTED',
      message: `${resource.name} is raw Kubernetes, Helm or Kustomize; this version can not yet put that into a release.`,
      hint: 'Leave the resource out of the stack for now.',
      subject: `resource:${resource.name}`,
    })
  }
  if (resource.type === 'container' && resource.code.kind === 'source') {
    throw new LandfallError({
      code: 'E_BUILD_UNSUPPORTED',
      message: `The container ${resource.name} is given as source; containers are built outside of Landfall.`,
      hint: 'Give an image by digest, or make it a worker.',
      subject: `resource:${resource.name}`,
    })
  }
}
