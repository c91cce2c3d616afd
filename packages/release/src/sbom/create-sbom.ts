import { createHash } from 'node:crypto'
import type { Digest } from '@landfall/stack'
import { builderName } from '../build/build-release.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { LicenceChoice } from './licence.ts'
import type { NpmPackage } from './npm-packages.ts'

interface Component {
  type: 'application' | 'library' | 'container'
  'bom-ref': string
  name: string
  version: string
  purl?: string
  licenses?: LicenceChoice[]
  hashes?: { alg: 'SHA-256'; content: string }[]
}

export interface SbomOptions {
  project: string
  version: string
  /** When the release was made: UTC as `Date.toISOString` writes it. */
  createdAt: string
  workers: readonly { name: string; digest: Digest; packages: readonly NpmPackage[] }[]
  /** Resources that run an image that was built elsewhere; what is in it is not known here. */
  images?: readonly { name: string; reference: string }[]
}

/**
 * A release's bill of materials: CycloneDX 1.6 as canonical JSON (https://cyclonedx.org/docs/1.6/json/). Workers with the
 * digest of their artifact, under them the npm packages that are bundled in each. The same input gives the same bytes; the
 * serial number follows from the content.
 */
export function createSbom(options: SbomOptions): Uint8Array {
  const { project, version } = options
  const self = `${project}@${version}`
  const components = new Map<string, Component>()
  const dependencies = new Map<string, Set<string>>([[self, new Set()]])
  const add = (parent: string, component: Component) => {
    const ref = component['bom-ref']
    components.set(ref, component)
    dependencies.get(parent)?.add(ref)
    if (!dependencies.has(ref)) dependencies.set(ref, new Set())
  }
  for (const { name, digest, packages } of options.workers) {
    const worker = `worker:${name}`
    add(self, { type: 'application', 'bom-ref': worker, name, version, hashes: hashOf(digest) })
    for (const one of packages) add(worker, library(one))
  }
  for (const { name, reference } of options.images ?? []) {
    const [image = reference, digest] = reference.split('@')
    add(self, {
      type: 'container',
      'bom-ref': `image:${name}`,
      name: image,
      version: digest ?? 'unknown',
      ...(digest ? { hashes: hashOf(digest) } : {}),
    })
  }
  const [tool = 'landfall', toolVersion = '0'] = builderName.split('/')
  const content = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: options.createdAt,
      tools: { components: [{ type: 'application', name: tool, version: toolVersion }] },
      component: { type: 'application', 'bom-ref': self, name: project, version },
    },
    components: [...components.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
    dependencies: [...dependencies]
      .map(([ref, on]) => ({ ref, dependsOn: [...on].sort() }))
      .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
  }
  return canonicalBytes({ ...content, serialNumber: `urn:uuid:${uuidOf(canonicalBytes(content))}` })
}

function library({ name, version, licences }: NpmPackage): Component {
  const purl = purlOf(name, version)
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(licences.length > 0 ? { licenses: licences } : {}),
  }
}

/** https://github.com/package-url/purl-spec: the scope is the namespace, and its @ is encoded. */
export function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`
}

const hashOf = (digest: Digest) => [{ alg: 'SHA-256' as const, content: digest.slice('sha256:'.length) }]

/** A UUID of version 8 (RFC 9562) from content. */
function uuidOf(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes).digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
