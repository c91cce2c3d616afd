import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBlob } from '../blob/read-blob.ts'
import { releaseDigest } from '../statement/sign-release.ts'
import { now } from '../testing/fixtures.ts'
import { readRelease } from './delta.ts'
import { importBundle } from './import-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise } from './testing/bundle-world.ts'

let world: BundleWorld
beforeAll(async () => {
  world = await BundleWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

/** Four releases imported one after the other: 2 is a delta to 1, 3 and 4 are full. */
async function imported(name: string) {
  const store = await BundleStore.open(world.path(name))
  const shared = noise(20_000, 1)
  const releases = []
  for (const at of [1, 2, 3, 4]) {
    const workers = { api: noise(30_000, 10 + at), shared: at <= 2 ? shared : noise(20_000, 50 + at) }
    releases.push(await world.release({ version: `1.${at}.0`, sequence: at, workers }))
  }
  for (const [at, release] of releases.entries()) {
    const base = at === 1 ? [releases[0]?.envelope ?? expect.fail()] : []
    const made = await world.bundle({ releases: [release], base }, `${name}-${at}.tar`)
    await importBundle(made.file, store, world.site({ now: now + at * 1000 }))
  }
  return { store, releases, digests: releases.map((release) => releaseDigest(release.envelope)) }
}

async function readable(store: BundleStore, { envelope }: { envelope: Parameters<typeof readRelease>[0] }) {
  for (const { digest } of readRelease(envelope).artifacts) await readBlob(store.read, { digest })
}

describe('clearing a store', () => {
  it('keeps what is needed, what a delta builds on and the last, and drops the rest', async () => {
    const { store, releases, digests } = await imported('some')
    const pruned = await store.retain(new Set([digests[1] ?? '']))
    expect(pruned.imports).toHaveLength(2)
    expect(pruned.bytes).toBeGreaterThan(50_000)
    expect((await store.imports()).map((record) => record.releases[0]?.version)).toEqual(['1.2.0', '1.4.0'])
    expect(await store.release(digests[0] ?? '')).toBeNull()
    for (const at of [1, 3]) await readable(store, releases[at] ?? expect.fail())
    const again = await BundleStore.open(store.dir)
    expect(await again.retain(new Set([digests[1] ?? '']))).toEqual({ imports: [], blobs: 0, bytes: 0 })
  })

  it('goes on after a kill between the records and the blobs', async () => {
    const { store, releases, digests } = await imported('killed')
    // What such a kill leaves: no record names the third any more, its blobs are there.
    const third = (await store.imports())[2] ?? expect.fail()
    await rm(join(store.dir, 'imports', `${third.bundle.slice(7)}.json`))
    const orphans = (await readdir(`${store.dir}/blobs/sha256`)).length
    const again = await BundleStore.open(store.dir)
    const keep = new Set([digests[3] ?? ''])
    expect((await again.retain(keep)).imports).toHaveLength(2)
    const left = await readdir(`${store.dir}/blobs/sha256`)
    expect(left.length).toBeLessThan(orphans)
    const named = (await again.imports()).length
    expect([named, await again.release(digests[2] ?? '')]).toEqual([1, null])
    await readable(again, releases[3] ?? expect.fail())
    const bundle = await world.bundle({ releases: [releases[2] ?? expect.fail()] }, 'third.tar')
    await importBundle(bundle.file, again, world.site({ now: now + 9_000 }))
    await readable(again, releases[2] ?? expect.fail())
  })

  it('waits for a running import', async () => {
    const { store, digests } = await imported('busy')
    await store.exclusively('sha256:x', async () => {
      await expect(store.retain(new Set(digests))).rejects.toMatchObject({ code: 'E_BUNDLE_BUSY' })
    })
  })
})
