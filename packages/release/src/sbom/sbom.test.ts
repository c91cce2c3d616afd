import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { layoutReader } from '../blob/read-blob.ts'
import { buildRelease } from '../build/build-release.ts'
import { loadConfig } from '../build/load-config.ts'
import { createStatement } from '../statement/sign-release.ts'
import { codeOf, now } from '../testing/fixtures.ts'
import { createSbom, purlOf } from './create-sbom.ts'
import { licenceOf } from './licence.ts'
import { releaseSbom } from './release-sbom.ts'

let dir = ''
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'landfall-sbom-')))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Two versions of one package, a scoped one, one that is imported and of which nothing is used. */
const files = {
  'package.json': '{"name":"the-vendor","version":"5.0.0","license":"UNLICENSED"}',
  'landfall.config.ts': `import { Stack, worker } from '@landfall/stack'
export default new Stack('acme', { resources: [
  worker('api', { source: './src/api.ts' }), worker('tidy', { source: './src/tidy.ts' })], platforms: ['local'] })
`,
  'src/api.ts': `import { one } from 'left'
import { scoped } from '@acme/scoped'
import { unused } from 'unused'
export default { fetch: () => new Response(one + scoped) }
`,
  'src/tidy.ts': "export default { fetch: () => new Response('tidy') }\n",
  'node_modules/left/package.json':
    '{"name":"left","version":"2.0.0+build.7","type":"module","main":"i.js","license":"MIT"}',
  'node_modules/left/i.js': "export const one = 'left-2'\n",
  'node_modules/@acme/scoped/package.json':
    '{"name":"@acme/scoped","version":"0.1.0","type":"module","main":"lib/i.js","license":"(MIT OR Apache-2.0)"}',
  'node_modules/@acme/scoped/lib/package.json': '{"type":"module"}',
  'node_modules/@acme/scoped/lib/i.js': "import { one } from 'left'\nexport const scoped = 'scoped' + one\n",
  'node_modules/@acme/scoped/node_modules/left/package.json':
    '{"name":"left","version":"1.0.0","type":"module","main":"i.js","license":"SEE LICENSE IN x"}',
  'node_modules/@acme/scoped/node_modules/left/i.js': "export const one = 'left-1'\n",
  'node_modules/unused/package.json':
    '{"name":"unused","version":"3.0.0","type":"module","main":"i.js","sideEffects":false}',
  'node_modules/unused/i.js': "export const unused = 'x'\n",
  'node_modules/@landfall/runtime/package.json':
    '{"name":"@landfall/runtime","version":"0.1.0","type":"module","main":"i.js","license":"Apache-2.0"}',
  'node_modules/@landfall/runtime/i.js': 'export async function start(user) { console.log(Object.keys(user)) }\n',
}

const bom = z.object({
  serialNumber: z.string(),
  components: z.array(
    z.object({
      'bom-ref': z.string(),
      purl: z.string().optional(),
      licenses: z.unknown().optional(),
      hashes: z.array(z.object({ content: z.string() })).optional(),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

async function release() {
  const { manifest } = await loadConfig(dir)
  const built = await buildRelease({ dir, manifest, version: '1.0.0', now })
  const statement = createStatement({ ...built, version: '1.0.0', channel: 'stable', sequence: 1, now })
  const bytes = await layoutReader(built.layoutDir)(built.sbom.digest)
  return { statement, bytes }
}

/** The official schema of CycloneDX 1.6, as its own library ships it; null when it is met. */
const problems = (bytes: Uint8Array) =>
  new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(Buffer.from(bytes).toString())

describe('the bill of materials', () => {
  it('lists what is in each worker, with versions, licences and digests', async () => {
    const built = await release()
    const read = bom.parse(JSON.parse(Buffer.from(built.bytes).toString()))
    const scoped = 'pkg:npm/%40acme/scoped@0.1.0'
    const runtime = 'pkg:npm/%40landfall/runtime@0.1.0'
    const [left1, left2] = ['pkg:npm/left@1.0.0', 'pkg:npm/left@2.0.0%2Bbuild.7']
    expect(read.dependencies.find((one) => one.ref === 'worker:api')?.dependsOn).toEqual([
      scoped,
      runtime,
      left1,
      left2,
    ])
    expect(read.dependencies.find((one) => one.ref === 'worker:tidy')?.dependsOn).toEqual([runtime])
    const component = (ref: string) => read.components.find((one) => one['bom-ref'] === ref)
    expect(component(left2)?.licenses).toEqual([{ license: { id: 'MIT' } }])
    expect(component(scoped)?.licenses).toEqual([{ expression: '(MIT OR Apache-2.0)' }])
    expect(component(left1)?.licenses).toEqual([{ license: { name: 'SEE LICENSE IN x' } }])
    const api = built.statement.artifacts.find((artifact) => artifact.resource === 'api')
    expect(`sha256:${component('worker:api')?.hashes?.[0]?.content}`).toBe(api?.digest)
  })

  it('meets the official schema and is the same each time', async () => {
    const built = await release()
    const { bytes } = built
    expect(built.statement.sbom).toEqual({ digest: sha256(bytes), size: bytes.length })
    expect(await problems(bytes)).toBeNull()
    expect((await release()).bytes).toEqual(bytes)
    const image = `ghcr.io/acme/old@sha256:${'a'.repeat(64)}`
    const images = [{ name: 'old', reference: image }]
    const other = createSbom({ project: 'a', version: '1', createdAt: built.statement.createdAt, workers: [], images })
    expect(await problems(other)).toBeNull()
    // The check itself can fail.
    const broken = Buffer.from(bytes).toString().replace('"SHA-256"', '"SHA-257"')
    expect(await problems(Buffer.from(broken))).not.toBeNull()
  })

  it('is refused where a package that is in the artifact was not counted', async () => {
    const { statement } = await release()
    const worker = {
      name: 'api',
      digest: statement.artifacts[0]?.digest ?? sha256(new Uint8Array()),
      sourceMap: Buffer.from('{"sources":["src/api.ts","node_modules/@acme/scoped/lib/i.js"]}'),
    }
    const given = { manifest: statement.manifest, version: '1.0.0', createdAt: statement.createdAt }
    const scoped = { name: '@acme/scoped', version: '0.1.0', licences: [] }
    expect(releaseSbom({ ...given, workers: [{ ...worker, packages: [scoped] }] }).length).toBeGreaterThan(0)
    const refused = async () => releaseSbom({ ...given, workers: [{ ...worker, packages: [] }] })
    expect(await codeOf(refused)).toBe('E_SBOM_INCOMPLETE')
  })
})

describe('a licence', () => {
  it.each([
    [{ license: 'MIT' }, [{ license: { id: 'MIT' } }]],
    [
      { license: 'GPL-3.0-or-later WITH Classpath-exception-2.0' },
      [{ expression: 'GPL-3.0-or-later WITH Classpath-exception-2.0' }],
    ],
    [{ license: { type: 'ISC', url: 'x' } }, [{ license: { id: 'ISC' } }]],
    [{ licenses: [{ type: 'MIT' }, { type: 'GPL-2.0' }] }, [{ expression: '(MIT OR GPL-2.0)' }]],
    [{ license: 'UNLICENSED' }, [{ license: { name: 'UNLICENSED' } }]],
    [{ license: 'SEE LICENSE IN LICENSE.txt' }, [{ license: { name: 'SEE LICENSE IN LICENSE.txt' } }]],
    [{ license: '' }, []],
    [{ license: 7 }, []],
    [{}, []],
  ])('of %j', (description, expected) => {
    expect(licenceOf(description)).toEqual(expected)
  })

  it('stands beside a purl that encodes what it must', () => {
    expect(purlOf('@a/b', '1.0.0-rc.1+x')).toBe('pkg:npm/%40a/b@1.0.0-rc.1%2Bx')
  })
})
