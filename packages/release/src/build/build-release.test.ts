import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LandfallError, sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layoutReader } from '../blob/read-blob.ts'
import { createSigningKey } from '../keys/signing-key.ts'
import { createStatement, signRelease } from '../statement/sign-release.ts'
import { codeOf, now } from '../testing/fixtures.ts'
import { buildRelease } from './build-release.ts'
import { loadConfig } from './load-config.ts'
import { withoutCredentials } from './provenance.ts'
import { readWorkerFiles } from './worker-image.ts'

const run = promisify(execFile)
let dir = ''
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'landfall-build-')))
  await project(join(dir, 'one'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Two workers, a shared file, an ESM and a CommonJS package, and a stand-in for the runtime that tells what it was given. */
const files = {
  'landfall.config.ts': `import { Stack, worker } from '@landfall/stack'
export default new Stack('acme', { resources: [
  worker('api', { source: './src/api.ts', public: true }), worker('tidy', { source: './src/tidy.ts' })], platforms: ['local'] })
`,
  'package-lock.json': '{"lockfileVersion":3}',
  'src/api.ts': `import { shared } from './shared.ts'
import { cjs } from 'a-cjs-package'
import { esm } from 'an-esm-package'
// SECRET-COMMENT of the vendor
export class NotFound extends Error {}
export const commands = { reindex: async () => shared }
export default { fetch: () => new Response(shared + cjs + esm + NotFound.name) }
`,
  'src/tidy.ts': "import { shared } from './shared.ts'\nexport default { tidy: () => shared }\n",
  'src/shared.ts': "export const shared: string = 'shared-'\n",
  'node_modules/a-cjs-package/package.json': '{"name":"a-cjs-package","main":"index.js"}',
  'node_modules/a-cjs-package/index.js': "exports.cjs = require('node:path').basename('/x/cjs-')\n",
  'node_modules/an-esm-package/package.json': '{"name":"an-esm-package","type":"module","main":"index.js"}',
  'node_modules/an-esm-package/index.js': "export const esm = 'esm-'\n",
  'node_modules/@landfall/runtime/package.json': '{"name":"@landfall/runtime","type":"module","main":"index.js"}',
  'node_modules/@landfall/runtime/index.js': `export async function start(user) {
  const body = user.default.fetch ? await user.default.fetch().text() : null
  console.log(JSON.stringify({ exports: Object.keys(user).sort(), body }))
}
`,
}

async function project(to: string) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(to, name)), { recursive: true })
    await writeFile(join(to, name), text)
  }
}

async function buildIn(at: string) {
  const { manifest } = await loadConfig(at)
  return buildRelease({ dir: at, manifest, version: '1.0.0', now })
}

async function contentOf(layout: string) {
  const names = await readdir(layout, { recursive: true, withFileTypes: true })
  const list = []
  for (const entry of names) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    list.push([path.slice(layout.length), sha256(await readFile(path))])
  }
  return list.sort()
}

describe('buildRelease', () => {
  it('gives the same bytes in another directory, at another depth and another time', async () => {
    const one = await buildIn(join(dir, 'one'))
    const other = join(dir, 'quite', 'another', 'place')
    await cp(join(dir, 'one'), other, { recursive: true, filter: (from) => !from.includes('.landfall') })
    await utimes(join(other, 'src', 'api.ts'), 1, 1)
    const two = await buildIn(other)
    const again = await buildIn(join(dir, 'one'))
    expect(two.artifacts).toEqual(one.artifacts)
    expect(two.provenance).toEqual(one.provenance)
    expect(two.manifest).toEqual(one.manifest)
    expect(await contentOf(two.layoutDir)).toEqual(await contentOf(one.layoutDir))
    expect(await contentOf(again.layoutDir)).toEqual(await contentOf(one.layoutDir))
  })

  it('bundles the real runtime into a project that has installed nothing, the same in any place', async () => {
    const digests = []
    for (const at of [join(dir, 'bare'), join(dir, 'deeper', 'down', 'bare')]) {
      await mkdir(join(at, 'src'), { recursive: true })
      await writeFile(join(at, 'landfall.config.ts'), files['landfall.config.ts'])
      await writeFile(join(at, 'src', 'api.ts'), "import { log } from '@landfall/runtime'\nlog.info('hello')\n")
      await writeFile(join(at, 'src', 'tidy.ts'), "export default { fetch: () => new Response('tidy') }\n")
      const { artifacts, layoutDir, provenance } = await buildIn(at)
      digests.push([artifacts, provenance])
      const worker = await readWorkerFiles(layoutReader(layoutDir), artifacts[0]?.digest ?? '')
      const { sources } = JSON.parse(Buffer.from(worker['index.mjs.map'] ?? []).toString())
      expect(sources).toContain('node_modules/@landfall/runtime/src/index.ts')
      expect(sources.filter((one: string) => one.startsWith('/') || one.startsWith('..'))).toEqual([])
    }
    expect(digests[1]).toEqual(digests[0])
  })

  it.each(['../../elsewhere', '..', '', 'a/b', '-1', 'x'.repeat(65)])('refuses %j as a version', async (version) => {
    const { manifest } = await loadConfig(join(dir, 'one'))
    expect(await codeOf(() => buildRelease({ dir: join(dir, 'one'), manifest, version }))).toBe('E_RELEASE_VERSION')
  })

  it('gives another digest for another source, to the worker that has it alone', async () => {
    const one = await buildIn(join(dir, 'one'))
    const other = join(dir, 'changed')
    await project(other)
    await writeFile(join(other, 'src', 'tidy.ts'), "export default { tidy: () => 'changed' }\n")
    const two = await buildIn(other)
    expect(two.artifacts[0]).toEqual(one.artifacts[0])
    expect(two.artifacts[1]?.digest).not.toBe(one.artifacts[1]?.digest)
  })

  it('writes blobs under their digests, nothing of the place, and no source of the vendor', async () => {
    const { layoutDir, artifacts } = await buildIn(join(dir, 'one'))
    expect(JSON.parse(await readFile(join(layoutDir, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    // Config, manifest and layer of two workers, and the bill of materials.
    const blobs = await readdir(join(layoutDir, 'blobs', 'sha256'))
    expect(blobs).toHaveLength(7)
    for (const name of blobs) {
      const bytes = await readFile(join(layoutDir, 'blobs', 'sha256', name))
      expect(sha256(bytes)).toBe(`sha256:${name}`)
      expect(bytes.includes(dir)).toBe(false)
      expect(bytes.includes(tmpdir())).toBe(false)
      expect(bytes.includes('SECRET-COMMENT')).toBe(false)
    }
    const worker = await readWorkerFiles(layoutReader(layoutDir), artifacts[0]?.digest ?? '')
    expect(Object.keys(worker)).toEqual(['index.mjs', 'index.mjs.map'])
    const map = JSON.parse(Buffer.from(worker['index.mjs.map'] ?? []).toString())
    expect([...map.sources].sort()).toEqual([
      'landfall-entry.ts',
      'node_modules/@landfall/runtime/index.js',
      'node_modules/a-cjs-package/index.js',
      'node_modules/an-esm-package/index.js',
      'src/api.ts',
      'src/shared.ts',
    ])
  })

  it('makes a worker that starts with what the source exports, when unpacked by tar', async () => {
    const { layoutDir, artifacts } = await buildIn(join(dir, 'one'))
    const out = join(dir, 'unpacked')
    await mkdir(out)
    const layer = join(layoutDir, 'blobs', 'sha256', (artifacts[0]?.digest ?? '').slice('sha256:'.length))
    await run('tar', ['-xf', layer, '-C', out])
    const { stdout } = await run(process.execPath, ['--enable-source-maps', join(out, 'index.mjs')])
    expect(JSON.parse(stdout)).toEqual({
      exports: ['NotFound', 'commands', 'default'],
      body: 'shared-cjs-esm-NotFound',
    })
    const { stdout: listed } = await run('tar', ['-tvf', layer, '--numeric-owner'], {
      env: { ...process.env, TZ: 'UTC' },
    })
    for (const line of listed.trim().split('\n'))
      expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00 index\.mjs/)
  })

  it('is read by skopeo', async (context) => {
    const found = await run('skopeo', ['--version']).catch(() => null)
    if (!found) {
      if (process.env.CI === 'true') throw new Error('skopeo is not installed; CI must have it')
      console.log('not run: the OCI layout read by skopeo, because skopeo is not installed')
      context.skip()
    }
    const { layoutDir, artifacts } = await buildIn(join(dir, 'one'))
    for (const artifact of artifacts) {
      const { stdout } = await run('skopeo', ['inspect', `oci:${layoutDir}:${artifact.resource}`])
      expect(JSON.parse(stdout).Layers).toEqual([artifact.digest])
      const copied = join(dir, `copied-${artifact.resource}`)
      await run('skopeo', ['--insecure-policy', 'copy', `oci:${layoutDir}:${artifact.resource}`, `dir:${copied}`])
      expect(await readdir(copied)).toContain(artifact.digest.slice('sha256:'.length))
    }
  })

  it('can be signed as it is', async () => {
    const built = await buildIn(join(dir, 'one'))
    const statement = createStatement({ ...built, version: '1.0.0', channel: 'stable', sequence: 1, now })
    expect((await signRelease(statement, createSigningKey('vendor'))).signatures).toHaveLength(1)
    expect(statement.provenance.inputs.map((input) => input.name)).toEqual([
      'config',
      'lock:package-lock.json',
      'worker:api',
      'worker:tidy',
    ])
  })

  it('notices a layer that was changed', async () => {
    const { layoutDir, artifacts } = await buildIn(join(dir, 'one'))
    const digest = artifacts[0]?.digest ?? ''
    const file = join(layoutDir, 'blobs', 'sha256', digest.slice('sha256:'.length))
    const bytes = await readFile(file)
    bytes[600] = (bytes[600] ?? 0) ^ 1
    await writeFile(file, bytes)
    expect(await codeOf(() => readWorkerFiles(layoutReader(layoutDir), digest))).toBe('E_ARTIFACT_DIGEST')
  })

  it('names file and line of what does not build, and leaves no half layout', async () => {
    const broken = join(dir, 'broken')
    await project(broken)
    const { manifest } = await loadConfig(broken)
    const refuse = async (source: string) => {
      await writeFile(join(broken, 'src', 'tidy.ts'), source)
      const error: unknown = await buildRelease({ dir: broken, manifest, version: '2.0.0' }).catch(
        (cause: unknown) => cause,
      )
      if (!LandfallError.is(error, 'E_BUILD_SOURCE')) throw new Error(`not refused: ${String(error)}`)
      return error.message
    }
    expect(await refuse('export default {\n')).toMatch(/The worker tidy .*src\/tidy\.ts:\d+:\d+/)
    expect(await refuse("import { x } from 'not-installed'\nexport default x\n")).toContain('src/tidy.ts:1:19')
    expect(await readdir(join(broken, '.landfall', 'releases'))).toEqual([])
    const outside = {
      ...manifest,
      resources: manifest.resources.map((one) =>
        one.type === 'worker' ? { ...one, code: { kind: 'source' as const, entry: '../one/src/api.ts' } } : one,
      ),
    }
    expect(await codeOf(() => buildRelease({ dir: broken, manifest: outside, version: '2.0.0' }))).toBe(
      'E_BUILD_SOURCE',
    )
  })
})

describe('provenance', () => {
  it('tells commit, state and repository of a git tree, without credentials', async () => {
    const at = join(dir, 'tracked')
    await project(at)
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: at })
    await git('init', '-q')
    await git('add', '-A')
    await git('commit', '-q', '-m', 'first')
    await git('remote', 'add', 'origin', 'https://user:token@example.com/acme/product.git?key=1')
    const { stdout } = await git('rev-parse', 'HEAD')
    const clean = await buildIn(at)
    expect(clean.provenance).toMatchObject({
      commit: stdout.trim(),
      dirty: false,
      repository: 'https://example.com/acme/product.git',
    })
    // What the build itself leaves is no change of the source.
    expect((await buildIn(at)).provenance.dirty).toBe(false)
    await writeFile(join(at, 'src', 'new.ts'), '')
    expect((await buildIn(at)).provenance.dirty).toBe(true)
  })

  it.each([
    ['https://example.com/a.git', 'https://example.com/a.git'],
    ['https://token@example.com/a.git', 'https://example.com/a.git'],
    ['ssh://git:pw@example.com:22/a.git', 'ssh://example.com:22/a.git'],
    ['git@example.com:acme/a.git', 'git@example.com:acme/a.git'],
    ['/srv/git/a.git', null],
    ['file:///srv/a.git', null],
  ])('writes the address %s as %s', (address, expected) => {
    expect(withoutCredentials(address)).toBe(expected)
  })
})
