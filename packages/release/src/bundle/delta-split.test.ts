import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlob } from '../blob/read-blob.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import { codeOf } from '../testing/fixtures.ts'
import type { ReleaseSource } from './create-bundle.ts'
import { importBundle } from './import-bundle.ts'
import { inspectBundle } from './inspect-bundle.ts'
import { joinBundle, splitBundle } from './split-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise } from './testing/bundle-world.ts'
import { verifyBundle } from './verify-bundle.ts'

let world: BundleWorld
let old: ReleaseSource
let next: ReleaseSource
beforeAll(async () => {
  world = await BundleWorld.create()
  const kept = noise(90_000)
  old = await world.release({ version: '1.0.0', sequence: 7, workers: { api: noise(5000, 2), tidy: kept } })
  next = await world.release({ version: '1.1.0', sequence: 8, workers: { api: noise(6000, 3), tidy: kept } })
})
afterAll(() => world[Symbol.asyncDispose]())

let stores = 0
const freshStore = () => BundleStore.open(world.path(`store-${++stores}`))
const full = () => world.bundle({ releases: [old] }, 'full.tar')
const delta = () => world.bundle({ releases: [next], base: [old.envelope] }, 'delta.tar')

describe('a delta', () => {
  it('leaves out what the site has, and is imported there', async () => {
    const { file, size, statement } = await delta()
    expect(statement.base).toEqual([releaseDigest(old.envelope)])
    expect(statement.omitted).toHaveLength(1)
    expect(size).toBeLessThan(50_000)
    // All that is in it can be proved without the base.
    expect((await verifyBundle(file, world.site())).releases).toHaveLength(1)
    const store = await freshStore()
    await importBundle((await full()).file, store, world.site())
    const { record } = await importBundle(file, store, world.site())
    expect(record.releases.map((release) => release.version)).toEqual(['1.1.0'])
    const [kept] = statement.omitted
    if (!kept) throw new Error('nothing is left out')
    expect((await readBlob(store.read, kept)).length).toBe(kept.size)
  })

  it('is refused where the base is missing or damaged, and says what', async () => {
    const { file, statement } = await delta()
    const missing = statement.omitted[0]
    if (!missing) throw new Error('nothing is left out')
    const store = await freshStore()
    const error = {
      code: 'E_BUNDLE_BASE_MISSING',
      problems: expect.arrayContaining([{ path: missing.digest, message: `is missing (${missing.size} bytes)` }]),
    }
    await expect(importBundle(file, store, world.site())).rejects.toMatchObject(error)
    await importBundle((await full()).file, store, world.site())
    await writeFile(`${store.dir}/blobs/sha256/${missing.digest.slice(7)}`, noise(missing.size, 50))
    await expect(importBundle(file, store, world.site())).rejects.toMatchObject(error)
    expect(await store.release(releaseDigest(next.envelope))).toBeNull()
  })

  it('of releases that carry the base themselves leaves nothing out', async () => {
    const third = await world.release({ version: '1.2.0', sequence: 9, workers: { own: noise(100, 8) } })
    const { statement } = await world.bundle({ releases: [third], base: [old.envelope] })
    expect(statement.omitted).toEqual([])
  })
})

describe('a bundle in parts', () => {
  it('is inspected, verified, imported and joined as if it were whole', async () => {
    const { file, size } = await full()
    const index = await splitBundle(file, 10_007)
    const parts = Math.ceil(size / 10_007)
    expect((await stat(`${file}.${String(parts).padStart(3, '0')}`)).size).toBe(size - (parts - 1) * 10_007)
    const whole = sha256(await readFile(file))
    await rm(file)
    expect((await inspectBundle(index)).expectedSize).toBe(size)
    expect((await verifyBundle(index, world.site())).releases).toHaveLength(1)
    expect((await importBundle(index, await freshStore(), world.site())).status).toBe('imported')
    const joined = world.path('joined.tar')
    await joinBundle(index, joined)
    expect(sha256(await readFile(joined))).toBe(whole)
  })

  it('names the part that is missing or damaged', async () => {
    const { file } = await full()
    const index = await splitBundle(file, 20_000)
    const part = `${file}.003`
    const bytes = await readFile(part)
    const error = { code: 'E_BUNDLE_PART', message: expect.stringContaining('.003') }
    await writeFile(part, noise(bytes.length, 5))
    const store = await freshStore()
    await expect(importBundle(index, store, world.site())).rejects.toMatchObject(error)
    await expect(joinBundle(index, world.path('joined-2.tar'))).rejects.toMatchObject(error)
    await expect(stat(world.path('joined-2.tar'))).rejects.toMatchObject({ code: 'ENOENT' })
    await rm(part)
    await expect(importBundle(index, store, world.site())).rejects.toMatchObject(error)
    await writeFile(part, bytes)
    expect((await importBundle(index, store, world.site())).status).toBe('imported')
  })

  it('takes no index that leads elsewhere or lies', async () => {
    const { file } = await full()
    const index = await splitBundle(file, 50_000)
    const text = await readFile(index, 'utf8')
    const changed = async (from: string | RegExp, to: string) => {
      const other = `${index}.other.json`
      const replaced = text.replace(from, to)
      expect(replaced).not.toBe(text)
      await writeFile(other, replaced)
      return codeOf(() => verifyBundle(other, world.site()))
    }
    expect(await changed('full.tar.001', '../full.tar.001')).toBe('E_BUNDLE_INVALID')
    expect(await changed('full.tar.001', '/etc/passwd')).toBe('E_BUNDLE_INVALID')
    expect(await changed('full.tar.001', 'full.tar.002')).toBe('E_BUNDLE_PART')
    expect(await changed(/"digest":"sha256:[0-9a-f]/, '"digest":"sha256:')).toBe('E_BUNDLE_INVALID')
    expect(await codeOf(() => splitBundle(file, 100))).toBe('E_BUNDLE_SOURCE')
    expect(await codeOf(() => verifyBundle(world.path('none.tar'), world.site()))).toBe('E_BUNDLE_NOT_FOUND')
    expect(await codeOf(() => verifyBundle(world.dir, world.site()))).toBe('E_BUNDLE_NOT_FOUND')
  })
})
