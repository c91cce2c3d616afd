import { type Digest, LandfallError, type Manifest } from '@landfall/stack'
import { z } from 'zod'
import { createSbom } from './create-sbom.ts'
import type { NpmPackage } from './npm-packages.ts'

/** A worker as it was bundled: its artifact, the packages that the bundler counted, and the source map that came out. */
export interface BundledWorker {
  name: string
  digest: Digest
  packages: readonly NpmPackage[]
  sourceMap: Uint8Array
}

/**
 * The bill of materials of a release, made by the very run that built it: the project's `node_modules` say versions and licences.
 *
 * @param options.manifest as it is released: what is given as an image is listed by its reference
 * @param options.createdAt when it was built: UTC as `Date.toISOString` writes it
 * @throws LandfallError `E_SBOM_INCOMPLETE`
 */
export function releaseSbom(options: {
  manifest: Manifest
  version: string
  createdAt: string
  workers: readonly BundledWorker[]
}): Uint8Array {
  const { manifest, version, createdAt, workers } = options
  for (const worker of workers) requireAll(worker)
  const images = manifest.resources.flatMap((resource) =>
    'code' in resource && resource.code.kind === 'image'
      ? [{ name: resource.name, reference: resource.code.reference }]
      : [],
  )
  return createSbom({ project: manifest.project, version, createdAt, workers, images })
}

const sourceMap = z.object({ sources: z.array(z.string()) })

/** The artifact's own source map names the packages in it; each must be in the bill. */
function requireAll(worker: BundledWorker): void {
  const { sources } = sourceMap.parse(JSON.parse(Buffer.from(worker.sourceMap).toString('utf8')))
  const listed = new Set(worker.packages.map((one) => one.name))
  for (const source of sources) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]
    if (name && !listed.has(name)) throw incomplete(worker.name, `the package ${name} is in it and was not found`)
  }
}

function incomplete(worker: string, why: string): LandfallError {
  return new LandfallError({
    code: 'E_SBOM_INCOMPLETE',
    message: `The bill of materials of ${worker} would not be complete: ${why}.`,
    hint: 'Install the packages of the project again (`npm ci`), then build again.',
    subject: `resource:${worker}`,
  })
}
