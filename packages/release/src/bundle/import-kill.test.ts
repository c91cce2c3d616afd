import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlob } from '../blob/read-blob.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import { now } from '../testing/fixtures.ts'
import type { ReleaseSource } from './create-bundle.ts'
import { readRelease } from './delta.ts'
import { importBundle } from './import-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise } from './testing/bundle-world.ts'

const run = promisify(execFile)
let world: BundleWorld
let release: ReleaseSource
let file = ''
let total = 0
beforeAll(async () => {
  world = await BundleWorld.create()
  // Some large blobs (over the size that is made durable at once) and many small ones.
  const workers = Object.fromEntries(
    Array.from({ length: 6 }, (_, at) => [`w${at}`, noise(at < 2 ? 5_000_000 : 50_000, at + 1)]),
  )
  release = await world.release({ version: '1.0.0', sequence: 7, workers })
  const attachments = Array.from({ length: 150 }, (_, at) => ({
    name: `small/${at}`,
    mediaType: 'text/plain',
    content: noise(300, at + 100),
  }))
  const bundle = await world.bundle({ releases: [release], attachments })
  file = bundle.file
  total = bundle.statement.blobs.reduce((sum, blob) => sum + blob.size, 0)
})
afterAll(() => world[Symbol.asyncDispose]())

/** Imports in a process of its own that dies on the way; gives the signal it died by. */
async function importAndDie(store: string, phase: 'copy' | 'commit', killAt: number): Promise<string | null> {
  const task = {
    file,
    store,
    killAt,
    phase,
    root: { ...world.root.toPublic(), version: 1 },
    deployment: world.deployment,
    now,
  }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/import-child.ts'), JSON.stringify(task)], {
    stdio: 'inherit',
  })
  const [, signal] = await once(child, 'exit')
  return typeof signal === 'string' ? signal : null
}

async function requireWhole(store: BundleStore): Promise<void> {
  expect(await store.release(releaseDigest(release.envelope))).toEqual(release.envelope)
  const [record] = await store.imports()
  expect(record?.attachments).toHaveLength(150)
  const { artifacts } = readRelease(release.envelope)
  expect(artifacts).toHaveLength(6)
  for (const { digest } of [...artifacts, ...(record?.attachments ?? [])]) await readBlob(store.read, { digest })
  for (const name of await readdir(`${store.dir}/blobs/sha256`))
    await readBlob(store.read, { digest: `sha256:${name}` })
  expect(await readdir(`${store.dir}/staging`)).toEqual([])
}

describe('an import that is killed', () => {
  it('shows nothing of the bundle, and goes on where it was', async () => {
    const dir = world.path('store-copy')
    let before = 0
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      expect(await importAndDie(dir, 'copy', total * share)).toBe('SIGKILL')
      const store = await BundleStore.open(dir)
      expect(await store.imports()).toEqual([])
      expect(await store.release(releaseDigest(release.envelope))).toBeNull()
      expect(await readdir(`${dir}/blobs/sha256`)).toEqual([])
      const after = (await store.unfinished())[0]?.blobs ?? 0
      // What was verified is never verified again.
      expect(after).toBeGreaterThanOrEqual(before)
      before = after
    }
    expect(before).toBeGreaterThan(64)
    const store = await BundleStore.open(dir)
    const result = await importBundle(file, store, world.site())
    expect(result.status).toBe('imported')
    await requireWhole(store)
  })

  it('between the moves of its commit, finishes it', async () => {
    const dir = world.path('store-commit')
    for (const moved of [1, 80, 3]) {
      expect(await importAndDie(dir, 'commit', moved)).toBe('SIGKILL')
      expect(await (await BundleStore.open(dir)).imports()).toEqual([])
    }
    const store = await BundleStore.open(dir)
    expect((await importBundle(file, store, world.site())).status).toBe('imported')
    await requireWhole(store)
  })

  it('is not believed by its journal where staged files are gone, or its last line was cut off', async () => {
    const dir = world.path('store-gone')
    expect(await importAndDie(dir, 'commit', 1)).toBe('SIGKILL')
    const [name = ''] = await readdir(`${dir}/staging`)
    for (const hex of await readdir(`${dir}/staging/${name}`)) {
      if (/^[0-9a-f]{63}[02468ace]$/.test(hex)) await rm(`${dir}/staging/${name}/${hex}`)
    }
    const journal = `${dir}/staging/${name}/journal`
    const lines = (await readFile(journal, 'utf8')).split('\n')
    await truncate(journal, (await stat(journal)).size - (lines.at(-2)?.length ?? 0) + 30)
    // Killed once more, so that what it writes now follows the line that was cut off.
    expect(await importAndDie(dir, 'commit', 1)).toBe('SIGKILL')
    for (const line of (await readFile(journal, 'utf8')).trimEnd().split('\n'))
      expect(line).toMatch(/^[0-9a-f]{64} \d+$/)
    const store = await BundleStore.open(dir)
    await importBundle(file, store, world.site())
    await requireWhole(store)
  })

  it('after the rename that finishes it is finished, and its rest is cleaned up', async () => {
    const dir = world.path('store-rest')
    await importBundle(file, await BundleStore.open(dir), world.site())
    const [record = ''] = await readdir(`${dir}/imports`)
    await mkdir(`${dir}/staging/${record.replace('.json', '')}`)
    const store = await BundleStore.open(dir)
    await requireWhole(store)
    expect((await importBundle(file, store, world.site())).status).toBe('already')
  })

  it('can be dropped, but not while it runs; and does not run twice at once', async () => {
    const store = await BundleStore.open(world.path('store-drop'))
    const started = Promise.withResolvers<string>()
    const running = importBundle(file, store, world.site({ onProgress: () => started.resolve('') }))
    await started.promise
    const [one] = await store.unfinished()
    if (!one) throw new Error('nothing is unfinished')
    await expect(store.discard(one.bundle)).rejects.toMatchObject({ code: 'E_BUNDLE_BUSY' })
    await expect(importBundle(file, store, world.site())).rejects.toMatchObject({ code: 'E_BUNDLE_BUSY' })
    expect((await running).status).toBe('imported')
    const dir = world.path('store-drop-2')
    expect(await importAndDie(dir, 'copy', total / 2)).toBe('SIGKILL')
    const other = await BundleStore.open(dir)
    await other.discard(one.bundle)
    expect(await readdir(`${dir}/staging`)).toEqual([])
  })
})

const canMount = process.getuid?.() === 0 && process.platform === 'linux'
if (!canMount) console.warn('not root: an import onto a full disk is not checked here')

describe.skipIf(!canMount)('a full disk', () => {
  it('is said so, leaves what was verified, and the import goes on when there is room', async () => {
    const mount = world.path('small-disk')
    await mkdir(mount)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mount])
    try {
      const store = await BundleStore.open(`${mount}/store`)
      await expect(importBundle(file, store, world.site())).rejects.toMatchObject({ code: 'E_DISK_FULL' })
      expect(await store.imports()).toEqual([])
      const kept = (await store.unfinished())[0]?.bytes ?? 0
      expect(kept).toBeGreaterThan(1_000_000)
      await expect(importBundle(file, store, world.site())).rejects.toMatchObject({ code: 'E_DISK_FULL' })
      expect((await store.unfinished())[0]?.bytes).toBeGreaterThanOrEqual(kept)
      await run('mount', ['-o', 'remount,size=40m', mount])
      expect((await importBundle(file, store, world.site())).status).toBe('imported')
      await requireWhole(store)
    } finally {
      await run('umount', [mount])
    }
  })
})
