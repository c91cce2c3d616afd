import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { releaseDigest } from '../statement/sign-release.ts'
import { importBundle } from './import-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise } from './testing/bundle-world.ts'

const run = promisify(execFile)
const skopeo = await run('skopeo', ['--version']).then(
  () => true,
  () => false,
)
if (!skopeo) console.warn('skopeo is not installed: what other tools read of a bundle is not checked here')

let world: BundleWorld
beforeAll(async () => {
  world = await BundleWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

describe.skipIf(!skopeo)('skopeo', () => {
  const inspected = z.object({ Labels: z.record(z.string(), z.string()).nullable(), Layers: z.array(z.string()) })

  it('inspects and copies the release, its workers, and the bundle', async () => {
    const content = noise(5000)
    const release = await world.release({ version: '1.0.0', sequence: 7, workers: { api: content } })
    const attachments = [{ name: 'agent', mediaType: 'application/octet-stream', content: noise(200) }]
    const sbom = Buffer.from('{}')
    const { file, statement } = await world.bundle({ releases: [{ ...release, sbom }], attachments })
    const inspect = async (ref: string) =>
      inspected.parse(JSON.parse((await run('skopeo', ['inspect', `oci-archive:${file}:${ref}`])).stdout))

    const seen = await inspect('acme-1.0.0')
    expect(seen.Labels).toMatchObject({ 'org.opencontainers.image.version': '1.0.0', 'dev.landfall.sequence': '7' })
    expect(seen.Layers).toContain(statement.releases[0]?.envelope)
    expect(seen.Layers).toContain(statement.releases[0]?.sbom)
    expect(seen.Layers).toContain(statement.attachments[0]?.digest)
    expect((await inspect('acme/bundle')).Layers).toContain(statement.keyset.digest)
    expect((await inspect('acme-1.0.0/api')).Layers).toHaveLength(1)

    for (const ref of ['acme-1.0.0', 'acme-1.0.0/api', 'acme/bundle']) {
      const to = world.path(`copied-${ref.replace('/', '-')}`)
      await run('skopeo', ['copy', `oci-archive:${file}:${ref}`, `dir:${to}`])
      for (const name of await readdir(to)) {
        if (/^[0-9a-f]{64}$/.test(name)) expect(sha256(await readFile(`${to}/${name}`))).toBe(`sha256:${name}`)
      }
    }
    expect(await readdir(world.path('copied-acme-1.0.0'))).toContain(statement.releases[0]?.envelope.slice(7))
  })

  it('gives images that a release names, and takes them from a bundle', async () => {
    // Any image will do: a worker of another release, as skopeo lays it out.
    const other = await world.release({ version: '0.9.0', sequence: 6, workers: { old: noise(3000, 5) } })
    const { file } = await world.bundle({ releases: [other] }, 'other.tar')
    const layout = world.path('layout')
    await mkdir(layout)
    await run('skopeo', ['copy', `oci-archive:${file}:acme-0.9.0/old`, `oci:${layout}:legacy`])
    const index = z
      .object({ manifests: z.array(z.object({ digest: z.string() })) })
      .parse(JSON.parse(await readFile(`${layout}/index.json`, 'utf8')))
    const digest = index.manifests[0]?.digest ?? ''
    const image = `registry.example.com/legacy@${digest}`
    const release = await world.release({ version: '1.0.0', sequence: 7, workers: { api: noise(10) }, image })
    await expect(world.bundle({ releases: [release] })).rejects.toMatchObject({ code: 'E_BUNDLE_SOURCE' })
    await world.bundle({ releases: [release], imagesElsewhere: true })
    const bundle = await world.bundle({ releases: [{ ...release, images: { legacy: layout } }] })
    const to = world.path('legacy')
    await run('skopeo', ['copy', `oci-archive:${bundle.file}:acme-1.0.0/legacy`, `dir:${to}`])
    expect(sha256(await readFile(`${to}/manifest.json`))).toBe(digest)
    const store = await BundleStore.open(world.path('store'))
    await importBundle(bundle.file, store, world.site())
    expect(await store.release(releaseDigest(release.envelope))).toEqual(release.envelope)
    await expect(store.read(digest)).resolves.toBeDefined()
  })
})
