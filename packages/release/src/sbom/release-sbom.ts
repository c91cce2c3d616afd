import { type Digest, LandfallError, type Manifest } from '@landfall/stack'
import { z } from 'zod'
import type { BlobReader } from '../blob/read-blob.ts'
import { readWorkerFiles, workerEntry } from '../build/worker-image.ts'
import type { ReleaseStatement } from '../statement/statement.ts'
import { createSbom } from './create-sbom.ts'
import { type NpmPackage, workerPackages } from './npm-packages.ts'

/**
 * The bill of materials of a release, made where it was built: the project's `node_modules` say versions and licences.
 *
 * @param options.dir the project's directory
 * @param options.manifest as `loadConfig` gave it: it still names the sources
 * @param options.blobs the release's artifacts, to check that nothing in them is missing from the bill
 * @throws LandfallError `E_SBOM_INCOMPLETE`, `E_BUILD_SOURCE`, and those of reading an artifact
 */
export async function releaseSbom(options: {
  dir: string
  manifest: Manifest
  statement: ReleaseStatement
  blobs: BlobReader
}): Promise<Uint8Array> {
  const { statement } = options
  const workers = []
  const images = []
  for (const resource of statement.manifest.resources) {
    if (!('code' in resource)) continue
    if (resource.code.kind === 'image') images.push({ name: resource.name, reference: resource.code.reference })
    if (resource.code.kind !== 'artifact') continue
    const source = options.manifest.resources.find((one) => one.name === resource.name)
    if (!source || !('code' in source) || source.code.kind !== 'source') {
      throw incomplete(resource.name, 'its source is not in the manifest that was given')
    }
    const packages = await workerPackages({ dir: options.dir, entry: source.code.entry })
    await requireAll(resource.name, resource.code.digest, packages, options.blobs)
    workers.push({ name: resource.name, digest: resource.code.digest, packages })
  }
  const { project, version, createdAt } = statement
  return createSbom({ project, version, createdAt, workers, images })
}

const sourceMap = z.object({ sources: z.array(z.string()) })

/** The artifact's own source map names the packages in it; each must be in the bill. */
async function requireAll(
  worker: string,
  digest: Digest,
  packages: readonly NpmPackage[],
  blobs: BlobReader,
): Promise<void> {
  const text = Buffer.from((await readWorkerFiles(blobs, digest))[`${workerEntry}.map`] ?? []).toString('utf8')
  const { sources } = sourceMap.parse(JSON.parse(text))
  const listed = new Set(packages.map((one) => one.name))
  for (const source of sources) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]
    if (name && !listed.has(name)) throw incomplete(worker, `the package ${name} is in it and was not found`)
  }
}

function incomplete(worker: string, why: string): LandfallError {
  return new LandfallError({
    code: 'E_SBOM_INCOMPLETE',
    message: `The bill of materials of ${worker} would not be complete: ${why}.`,
    hint: 'Make it in the directory the release was built in, with the same packages installed.',
    subject: `resource:${worker}`,
  })
}
