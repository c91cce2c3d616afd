import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layoutReader } from '../blob/read-blob.ts'
import { buildRelease } from '../build/build-release.ts'
import { loadConfig } from '../build/load-config.ts'
import { createStatement, signRelease } from '../statement/sign-release.ts'
import { now } from '../testing/fixtures.ts'
import { type CreatedBundle, createBundle } from './create-bundle.ts'
import { BundleWorld } from './testing/bundle-world.ts'
import { readLayout } from './testing/oci-layout-check.ts'
import { verifyBundle } from './verify-bundle.ts'

const run = promisify(execFile)
const skopeo = (await run('skopeo', ['--version']).catch(() => null)) !== null
if (!skopeo) {
  if (process.env.CI === 'true') throw new Error('skopeo is not installed; CI must have it')
  console.log('not run: bundles copied by skopeo, because skopeo is not installed')
}

const files = {
  'package.json': '{"name":"acme","version":"1.0.0"}',
  'landfall.config.ts': `import { Stack, worker } from '@landfall/stack'
export default new Stack('acme', { resources: [worker('api', { source: './api.ts' }), worker('jobs', { source: './jobs.ts' })], platforms: ['local'] })
`,
  'api.ts': "import { one } from 'left'\nexport default { fetch: () => new Response(one) }\n",
  'jobs.ts': "export default { fetch: () => new Response('jobs') }\n",
  'node_modules/left/package.json': '{"name":"left","version":"2.0.0","type":"module","main":"i.js","license":"MIT"}',
  'node_modules/left/i.js': "export const one = 'left-2'\n",
}

let dir = ''
let world: BundleWorld
let made: CreatedBundle
let sbom: string

/** A bundle as the vendor makes it: a release that was really built, with what travels along. */
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'landfall-oci-')))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, 'project', name)), { recursive: true })
    await writeFile(join(dir, 'project', name), text)
  }
  world = await BundleWorld.create()
  const { manifest } = await loadConfig(join(dir, 'project'))
  const built = await buildRelease({ dir: join(dir, 'project'), manifest, version: '1.4.0', now })
  const statement = createStatement({ ...built, version: '1.4.0', channel: 'stable', sequence: 4, now })
  sbom = built.sbom.digest
  made = await createBundle({
    out: join(dir, 'acme.bundle'),
    project: 'acme',
    releases: [{ envelope: await signRelease(statement, world.vendor), blobs: layoutReader(built.layoutDir) }],
    keyset: await world.keyset(),
    signer: world.vendor,
    now,
    deployment: world.deployment,
    commands: [await world.command()],
    attachments: [
      { name: 'agent/landfall-agent.mjs', mediaType: 'text/javascript', content: Buffer.from('// agent\n') },
      { name: 'order.json', mediaType: 'application/vnd.landfall.order.v1+json', content: Buffer.from('{}') },
    ],
  })
  await mkdir(join(dir, 'layout'))
  // The machine's own tar: a stranger's reader.
  await run('tar', ['-xf', made.file, '-C', join(dir, 'layout')])
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

describe('a bundle in the hands of a stranger', () => {
  it('is an OCI layout by every rule of the specification: what is in it is named, and is what its name says', async () => {
    const { refs, blob } = await readLayout(join(dir, 'layout'))
    expect([...refs.keys()].sort()).toEqual(['acme-1.4.0', 'acme-1.4.0/api', 'acme-1.4.0/jobs', 'acme/bundle'])
    const bundle = refs.get('acme/bundle')?.layers ?? []
    expect(bundle.map((layer) => layer.title)).toEqual(
      expect.arrayContaining(['bundle.dsse.json', 'keyset.dsse.json', 'agent/landfall-agent.mjs', 'order.json']),
    )
    const agent = bundle.find((layer) => layer.title === 'agent/landfall-agent.mjs')
    expect((await blob(agent?.digest ?? '')).toString()).toBe('// agent\n')
  })

  it('shows that the rules can fail', async () => {
    const layout = join(dir, 'broken')
    await run('cp', ['-r', join(dir, 'layout'), layout])
    const index = join(layout, 'index.json')
    const text = await readFile(index, 'utf8')
    await writeFile(index, text.replace('acme/bundle', 'acme//bundle'))
    await expect(readLayout(layout)).rejects.toThrow('no reference')
    await writeFile(index, text)
    await writeFile(join(layout, 'blobs', 'sha256', sha256(Buffer.from('x')).slice(7)), 'x')
    await expect(readLayout(layout)).rejects.toThrow('nothing names')
  })

  it('has the bill of materials of the release, which the signature covers and the official schema accepts', async () => {
    const { statement, releases } = await verifyBundle(made.file, world.site())
    expect(statement.releases[0]?.sbom).toBe(sbom)
    expect(releases[0]?.statement.sbom?.digest).toBe(sbom)
    const { refs, blob } = await readLayout(join(dir, 'layout'))
    const shown = refs.get('acme-1.4.0')?.layers.find((layer) => layer.mediaType === 'application/vnd.cyclonedx+json')
    expect(shown?.digest).toBe(sbom)
    const text = (await blob(sbom)).toString()
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
    expect(text).toContain('pkg:npm/left@2.0.0')
  })

  it('without its bill of materials is refused', async () => {
    const resigned = await world.resigned(made.file, ({ releases }) => ({
      releases: releases.map(({ sbom: _, ...release }) => release),
    }))
    await expect(verifyBundle(resigned, world.site())).rejects.toMatchObject({ code: 'E_BUNDLE_INVALID' })
  })
})

describe.skipIf(!skopeo)('skopeo', () => {
  const call = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args])

  it('copies every reference to a directory and to another layout, which again is one by every rule', async () => {
    const other = join(dir, 'other')
    for (const ref of ['acme-1.4.0', 'acme-1.4.0/api', 'acme-1.4.0/jobs', 'acme/bundle']) {
      const to = join(dir, `copied-${ref.replace('/', '-')}`)
      await call('copy', `oci-archive:${made.file}:${ref}`, `dir:${to}`)
      const { stdout } = await call('inspect', '--raw', `oci-archive:${made.file}:${ref}`)
      expect(await readFile(join(to, 'manifest.json'), 'utf8')).toBe(stdout)
      for (const name of await readdir(to)) {
        if (/^[0-9a-f]{64}$/.test(name)) expect(sha256(await readFile(join(to, name)))).toBe(`sha256:${name}`)
      }
      // Unless told, it compresses layers on the way, which is a right of its own, and another digest.
      await call('copy', '--preserve-digests', `oci-archive:${made.file}:${ref}`, `oci:${other}:${ref}`)
    }
    const ours = await readLayout(join(dir, 'layout'))
    const theirs = await readLayout(other)
    for (const [ref, { manifest }] of ours.refs) expect(theirs.refs.get(ref)?.manifest, ref).toBe(manifest)
  })
})
