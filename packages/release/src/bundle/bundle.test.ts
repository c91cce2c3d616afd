import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { sha256 } from '@landfall/stack'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layoutReader, readBlob } from '../blob/read-blob.ts'
import { OciLayoutWriter } from '../build/oci-layout.ts'
import { readWorkerFiles, writeWorkerImage } from '../build/worker-image.ts'
import { createSigningKey } from '../keys/signing-key.ts'
import { rotateRoot } from '../keyset/root-rotation.ts'
import { keysetEntry } from '../keyset/sign-keyset.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import { codeOf, day, iso, now } from '../testing/fixtures.ts'
import type { BundleStatement } from './bundle-statement.ts'
import { importBundle } from './import-bundle.ts'
import { inspectBundle } from './inspect-bundle.ts'
import { workerImage } from './oci-view.ts'
import { splitBundle } from './split-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise, tarEntries } from './testing/bundle-world.ts'
import { verifyBundle } from './verify-bundle.ts'

let world: BundleWorld
beforeAll(async () => {
  world = await BundleWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

let stores = 0
const freshStore = () => BundleStore.open(world.path(`store-${++stores}`))

const one = () =>
  world.release({ version: '1.0.0', sequence: 7, workers: { api: noise(5000), tidy: noise(70_000, 2) } })

describe('a bundle', () => {
  it('has the same bytes for the same input, in any order', async () => {
    const two = await world.release({ version: '1.1.0', sequence: 8, workers: { api: noise(5000, 3) } })
    const nonce = 'n'.repeat(22)
    const commands = [await world.command({ id: 'b', nonce }), await world.command({ id: 'a', nonce: 'm'.repeat(22) })]
    const attachments = [
      { name: 'chart.tgz', mediaType: 'application/gzip', content: noise(100) },
      { name: 'agent', mediaType: 'application/octet-stream', content: noise(200) },
    ]
    const common = { deployment: world.deployment, keyset: await world.keyset() }
    const a = await world.bundle({ ...common, releases: [await one(), two], commands, attachments }, 'a.tar')
    const b = await world.bundle(
      {
        ...common,
        releases: [two, await one()],
        commands: commands.toReversed(),
        attachments: attachments.toReversed(),
      },
      'b.tar',
    )
    expect(sha256(await readFile(a.file))).toBe(sha256(await readFile(b.file)))
    expect(a.size).toBe((await readFile(a.file)).length)
  })

  it('shows a worker by the very image that the build laid out', async () => {
    const layoutDir = world.path('layout')
    await mkdir(layoutDir)
    const layout = new OciLayoutWriter(layoutDir)
    const { image, layer } = await writeWorkerImage(layout, 'api', { 'index.mjs': noise(5000) })
    const shown = workerImage(layer)
    expect(shown.manifest.digest).toBe(image.digest)
    expect(await layoutReader(layoutDir)(shown.config.digest)).toEqual(Buffer.from(shown.config.bytes))
    const { statement } = await world.bundle({ releases: [await one()] })
    expect(statement.index.find((entry) => entry.ref === 'acme-1.0.0/api')?.digest).toBe(image.digest)
  })

  it('is not made of artifacts that are not what the release says', async () => {
    const release = await one()
    const blobs = async () => noise(5632)
    await expect(world.bundle({ releases: [{ ...release, blobs }] }, 'bad.tar')).rejects.toMatchObject({
      code: 'E_ARTIFACT_DIGEST',
    })
    // Neither the file nor a half of it stays.
    expect((await readdir(world.dir)).filter((name) => name.startsWith('bad.tar'))).toEqual([])
  })

  it('gives back what went in, whole or in parts, whatever it was', async () => {
    const content = fc.uint8Array({ maxLength: 3000 })
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\/[A-Za-z0-9]{1,5})?$/)
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('api', 'tidy', 'other'), content, { minKeys: 1, noNullPrototype: true }),
        fc.dictionary(name, content, { maxKeys: 12, noNullPrototype: true }),
        fc.integer({ min: 500, max: 20_000 }),
        async (workers, files, partSize) => {
          const release = await world.release({ version: '1.0.0', sequence: 7, workers })
          const attachments = Object.entries(files).map(([file, bytes]) => ({
            name: file,
            mediaType: 'application/octet-stream',
            content: bytes,
          }))
          const { file } = await world.bundle({ releases: [release], attachments }, 'any.tar')
          for (const input of [file, await splitBundle(file, partSize)]) {
            const store = await freshStore()
            const { record } = await importBundle(input, store, world.site())
            for (const { name: found, digest } of record.attachments) {
              expect(Buffer.compare(await readBlob(store.read, { digest }), files[found] ?? Buffer.from('?'))).toBe(0)
            }
            expect(record.attachments).toHaveLength(attachments.length)
            const { releases } = await verifyBundle(input, world.site())
            for (const { resource, digest } of releases[0]?.statement.artifacts ?? []) {
              const code = (await readWorkerFiles(store.read, digest))['index.mjs'] ?? Buffer.from('?')
              expect(Buffer.compare(code, workers[resource] ?? Buffer.from('!'))).toBe(0)
            }
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  it('says what it is without trust, and proves it with', async () => {
    const release = await one()
    const { file, id, size } = await world.bundle({ releases: [release], expiresAt: now + day })
    const told = await inspectBundle(file)
    expect(told).toMatchObject({ id, trusted: false, claimedKeys: [world.vendor.id], size, expectedSize: size })
    const proved = await verifyBundle(file, world.site())
    expect(proved.id).toBe(id)
    expect(proved.releases.map((found) => found.statement.version)).toEqual(['1.0.0'])
  })

  it('is imported once, and its release can be run from the store', async () => {
    const release = await one()
    const command = await world.command()
    const { file } = await world.bundle({ releases: [release], commands: [command], deployment: world.deployment })
    const store = await freshStore()
    const first = await importBundle(file, store, world.site())
    expect(first.status).toBe('imported')
    expect(first.commands.map((accepted) => accepted.statement.command)).toEqual(['reindex'])
    const digest = releaseDigest(release.envelope)
    expect(await store.release(digest)).toEqual(release.envelope)
    expect((await store.keyset())?.version).toBe(3)
    const api = (await verifyBundle(file, world.site())).releases[0]?.statement.artifacts[0]
    if (!api) throw new Error('no artifact')
    expect((await readWorkerFiles(store.read, api.digest))['index.mjs']).toEqual(Buffer.from(noise(5000)))
    const again = await importBundle(file, store, world.site())
    expect(again).toMatchObject({ status: 'already', commands: [] })
    expect(await store.unfinished()).toEqual([])
  })

  it('writes no blob again that the store holds, and heals one that went bad there', async () => {
    const store = await freshStore()
    await importBundle((await world.bundle({ releases: [await one()] })).file, store, world.site())
    const next = await world.release({
      version: '1.1.0',
      sequence: 8,
      workers: { api: noise(4000, 9), tidy: noise(70_000, 2) },
    })
    const bundle = await world.bundle({ releases: [next] })
    const tidy = (await verifyBundle(bundle.file, world.site())).releases[0]?.statement.artifacts[1]
    if (!tidy) throw new Error('no artifact')
    const { record } = await importBundle(bundle.file, store, world.site())
    // The worker's layer, its image's manifest and config, and the keyset.
    expect(record.present.blobs).toBe(4)
    expect(record.present.bytes).toBeGreaterThan(70_000)
    await writeFile(`${store.dir}/blobs/sha256/${tidy.digest.slice(7)}`, noise(tidy.size, 77))
    const third = await world.release({ version: '1.2.0', sequence: 9, workers: { tidy: noise(70_000, 2) } })
    await importBundle((await world.bundle({ releases: [third] })).file, store, world.site())
    expect((await readBlob(store.read, tidy)).length).toBe(tidy.size)
  })

  it('carries a new keyset alone, under a rotated root', async () => {
    const next = createSigningKey('vendor')
    await using other = await BundleWorld.create()
    const rotation = await rotateRoot({ project: 'acme', from: world.root, version: 1, to: other.root, now })
    const keyset = await other.keyset({ version: 4, keys: [keysetEntry('vendor', next)] })
    const { file } = await world.bundle({ releases: [], keyset, rotations: [rotation], signer: next })
    const store = await freshStore()
    const { root } = await importBundle(file, store, world.site())
    expect(root).toEqual({ ...other.root.toPublic(), version: 2 })
    expect((await store.keyset())?.version).toBe(4)
  })
})

describe('a bundle is refused', () => {
  it('when it is damaged where the site has that very content already', async () => {
    const store = await freshStore()
    await importBundle((await world.bundle({ releases: [await one()] })).file, store, world.site())
    const next = await world.release({ version: '1.1.0', sequence: 8, workers: { tidy: noise(70_000, 2) } })
    const { file } = await world.bundle({ releases: [next] })
    const bytes = await readFile(file)
    const large = [...tarEntries(bytes)].find((entry) => entry.size > 70_000)
    if (!large) throw new Error('the worker is not in it')
    bytes[large.start + 40_000] = (bytes[large.start + 40_000] ?? 0) ^ 1
    await writeFile(file, bytes)
    expect(await codeOf(() => importBundle(file, store, world.site()))).toBe('E_ARCHIVE_DIGEST')
    expect(await store.imports()).toHaveLength(1)
  })

  const imported = async (file: string, change: Parameters<BundleWorld['site']>[0] = {}) => {
    const store = await freshStore()
    const code = await codeOf(() => importBundle(file, store, world.site(change)))
    expect(await store.imports()).toHaveLength(code === 'none' ? 1 : 0)
    return code
  }

  it('when it is for another project, deployment or root', async () => {
    const { file } = await world.bundle({ releases: [await one()], deployment: world.deployment })
    expect(await imported(file, { project: 'other' })).toBe('E_KEYSET_PROJECT')
    expect(await imported(file, { deployment: 'dep-globex' })).toBe('E_BUNDLE_DEPLOYMENT')
    expect(await imported(file, { root: { ...createSigningKey('vendor').toPublic(), version: 1 } })).toBe(
      'E_ROOT_UNTRUSTED',
    )
    expect(await imported(file)).toBe('none')
  })

  it('when its own description does not hold, although the vendor signed it', async () => {
    const { file } = await world.bundle({ releases: [await one()] })
    const blob = { digest: `sha256:${'0'.repeat(64)}`, size: 1 }
    const cases: [string, Partial<BundleStatement> | ((statement: BundleStatement) => Partial<BundleStatement>)][] = [
      ['E_BUNDLE_PROJECT', { project: 'other' }],
      ['E_BUNDLE_INVALID', { omitted: [blob] }],
      ['E_BUNDLE_INVALID', (old) => ({ base: [blob.digest], omitted: old.blobs.slice(0, 1) })],
      ['E_BUNDLE_INVALID', (old) => ({ keyset: { ...old.keyset, version: 9 } })],
      ['E_BUNDLE_INVALID', (old) => ({ releases: old.releases.map((one) => ({ ...one, sequence: 70 })) })],
      ['E_RELEASE_DIGEST', (old) => ({ releases: old.releases.map((one) => ({ ...one, digest: blob.digest })) })],
      // The worker's layer is not in it, and nothing says that the site has it.
      ['E_BUNDLE_INVALID', (old) => ({ blobs: old.blobs.filter((one) => one.size < 60_000) })],
    ]
    for (const [code, change] of cases) expect(await imported(await world.resigned(file, change))).toBe(code)
    expect(await imported(await world.resigned(file, {}))).toBe('none')
  })

  it('when its time is over, or that of its keys', async () => {
    const { file } = await world.bundle({ releases: [await one()], expiresAt: now + day })
    expect(await imported(file, { now: now + day + 1 })).toBe('E_BUNDLE_EXPIRED')
    const old = await world.bundle({ releases: [], keyset: await world.keyset({ expiresAt: now + day }) })
    expect(await imported(old.file, { now: now + 2 * day })).toBe('E_KEYSET_EXPIRED')
    expect(await imported(old.file, { minKeysetVersion: 4 })).toBe('E_KEYSET_OLDER')
  })

  it('when its key is unknown, revoked, retired or of a kind that does not count', async () => {
    const stranger = createSigningKey('vendor')
    const manager = createSigningKey('manager')
    const entry = keysetEntry('vendor', world.vendor)
    const cases = [
      [{ ...entry, revokedAt: iso(now - day) }, 'E_KEY_REVOKED'],
      [{ ...entry, notAfter: iso(now - day) }, 'E_KEY_EXPIRED'],
    ] as const
    for (const [key, code] of cases) {
      const { file } = await world.bundle({ releases: [], keyset: await world.keyset({ keys: [key] }) })
      expect(await imported(file)).toBe(code)
    }
    const both = await world.keyset({ keys: [entry, keysetEntry('manager', manager)] })
    const byManager = await world.bundle({ releases: [], keyset: both, signer: manager })
    expect(await imported(byManager.file)).toBe('E_KEY_KIND_UNTRUSTED')
    expect(await imported(byManager.file, { trust: ['manager'] })).toBe('none')
    expect(await codeOf(() => world.bundle({ releases: [], signer: stranger }))).toBe('E_BUNDLE_SOURCE')
    const foreign = await world.release({ version: '9.9.9', sequence: 99, workers: { api: noise(10) } }, stranger)
    expect(await imported((await world.bundle({ releases: [foreign] })).file)).toBe('E_KEY_UNKNOWN')
  })

  it('when it is signed by a key that the keyset in it does not name, whatever name that key gives itself', async () => {
    const { file } = await world.bundle({ releases: [await one()] })
    const stranger = createSigningKey('vendor')
    const claims = { id: world.vendor.id, publicKey: world.vendor.publicKey, sign: stranger.sign.bind(stranger) }
    expect(await imported(await world.resigned(file, {}, stranger))).toBe('E_KEY_UNKNOWN')
    expect(await imported(await world.resigned(file, {}, claims))).toBe('E_SIGNATURE_INVALID')
  })

  it('when all it has is older than what was accepted, unless told', async () => {
    const two = await world.release({ version: '1.1.0', sequence: 8, workers: { api: noise(5000, 3) } })
    const { file } = await world.bundle({ releases: [await one(), two] })
    expect(await imported(file, { sequenceFloor: 9 })).toBe('E_SEQUENCE_OLDER')
    const store = await freshStore()
    const mixed = await importBundle(file, store, world.site({ sequenceFloor: 8 }))
    expect(mixed.record.releases.map((release) => release.sequence)).toEqual([8])
    expect(mixed.record.belowFloor.map((release) => release.sequence)).toEqual([7])
    expect(await store.release(releaseDigest((await one()).envelope))).toBeNull()
    const told = await importBundle(file, await freshStore(), world.site({ sequenceFloor: 9, allowOlder: true }))
    expect(told.record.releases.map((release) => release.sequence)).toEqual([7, 8])
  })

  it('when it is larger than the site takes', async () => {
    const { file } = await world.bundle({ releases: [await one()] })
    expect(await imported(file, { limits: { maxBytes: 10_000 } })).toBe('E_ARCHIVE_LIMIT')
    expect(await imported(file, { limits: { maxBlobBytes: 60_000 } })).toBe('E_ARCHIVE_LIMIT')
    expect(await imported(file, { limits: { maxEntries: 3 } })).toBe('E_ARCHIVE_LIMIT')
  })

  it('when a command in it is for another, expired or replayed', async () => {
    const bundle = async (command: Awaited<ReturnType<BundleWorld['command']>>) =>
      (await world.bundle({ releases: [await one()], commands: [command], deployment: world.deployment })).file
    expect(await codeOf(async () => bundle(await world.command({ deployment: 'dep-globex' })))).toBe('E_BUNDLE_SOURCE')
    const expired = await bundle(await world.command({ expiresAt: now + 1 }))
    expect(await imported(expired, { now: now + day })).toBe('E_COMMAND_EXPIRED')
    const stranger = createSigningKey('vendor')
    expect(await imported(await bundle(await world.command({ signer: stranger })))).toBe('E_KEY_UNKNOWN')

    const store = await freshStore()
    const command = await world.command()
    await importBundle(await bundle(command), store, world.site())
    const two = await world.release({ version: '1.1.0', sequence: 8, workers: { api: noise(50, 3) } })
    const replay = await world.bundle({ releases: [two], commands: [command], deployment: world.deployment })
    expect(await codeOf(() => importBundle(replay.file, store, world.site()))).toBe('E_COMMAND_REPLAYED')
    expect(await store.release(releaseDigest(two.envelope))).toBeNull()
    const skipped = await importBundle(replay.file, store, world.site({ commandFailures: 'skip' }))
    expect(skipped.commands).toEqual([])
    expect(skipped.record.refusedCommands).toEqual([{ id: 'cmd-1', code: 'E_COMMAND_REPLAYED' }])
  })

  it('when one nonce is in it twice', async () => {
    const nonce = 'x'.repeat(22)
    const commands = [await world.command({ id: 'a', nonce }), await world.command({ id: 'b', nonce })]
    const { file } = await world.bundle({ releases: [], commands, deployment: world.deployment })
    expect(await imported(file)).toBe('E_COMMAND_REPLAYED')
  })
})
