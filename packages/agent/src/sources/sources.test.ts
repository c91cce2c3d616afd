import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BundleStore, createRootKey, createSigningKey, keysetEntry, rotateRoot, signKeyset } from '@landfall/release'
import { type Digest, sha256 } from '@landfall/stack'
import { afterAll, describe, expect, it } from 'vitest'
import { AgentState } from '../state/agent-state.ts'
import { newKey, scratch } from '../testing/scratch.ts'
import { createBlobs } from './blobs.ts'
import { openTrust } from './trust.ts'
import type { Upstream } from './upstream.ts'

const files = scratch()
afterAll(() => files.remove())

const now = Date.UTC(2026, 10, 21)
const day = 86_400_000

describe('what the agent trusts', () => {
  const signed = (root: ReturnType<typeof createRootKey>, version: number, expires = now + day) =>
    signKeyset(
      {
        project: 'shop',
        version,
        expiresAt: new Date(expires).toISOString(),
        keys: [keysetEntry('vendor', createSigningKey('vendor'))],
      },
      root,
    )

  it('never takes an older keyset nor one of another root, and follows a rotation, over a restart too', async () => {
    const [directory, key] = [files.path(), newKey()]
    const [root, next, thief] = [createRootKey(), createRootKey(), createRootKey()]
    const state = AgentState.open(directory, key)
    const trust = openTrust(state, 'shop', root)
    expect(() => trust.keyset()).toThrow(expect.objectContaining({ code: 'E_KEYSET_MISSING', retryable: true }))
    const [one, two] = [await signed(root, 1), await signed(root, 2)]
    expect(trust.take({ envelope: two, rotations: [] }, now)).toBe(true)
    expect(() => trust.take({ envelope: one, rotations: [] }, now)).toThrow(
      expect.objectContaining({ code: 'E_KEYSET_OLDER' }),
    )
    const stolen = await signed(thief, 9)
    expect(() => trust.take({ envelope: stolen, rotations: [] }, now)).toThrow(
      expect.objectContaining({ code: 'E_ROOT_UNTRUSTED' }),
    )
    state.close()
    const again = openTrust(AgentState.open(directory, key), 'shop', root)
    expect(again.version()).toBe(2)
    const rotation = await rotateRoot({ project: 'shop', from: root, version: 1, to: next, now })
    expect(again.take({ envelope: await signed(next, 3), rotations: [rotation] }, now)).toBe(true)
    expect(again.root()).toMatchObject({ id: next.id, version: 2 })
    // The old root signs nothing any more.
    const late = await signed(root, 4)
    expect(() => again.take({ envelope: late, rotations: [] }, now)).toThrow(
      expect.objectContaining({ code: 'E_ROOT_UNTRUSTED' }),
    )
  })
})

describe('content', () => {
  /** A manager that gives `content`, `piece` bytes at a time, and breaks off after `breakAfter` of each answer. */
  function upstream(content: Buffer, breakAfter = Number.POSITIVE_INFINITY, ranges = true) {
    const asked: number[] = []
    const give: Pick<Upstream, 'blob'> = {
      async blob(_digest, from) {
        asked.push(from)
        const start = ranges ? from : 0
        async function* pieces() {
          for (let at = start; at < content.length; at += 1_000) {
            if (at - start >= breakAfter) throw new Error('cut')
            yield content.subarray(at, at + 1_000)
          }
        }
        return { from: start, total: content.length, content: pieces() }
      },
    }
    return { asked, upstream: give as Upstream }
  }
  const store = () => BundleStore.open(files.path())
  const content = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251))
  const digest = sha256(content)

  it('is loaded from where it broke off, also by a manager that knows no ranges, and is proved before it has its name', async () => {
    for (const ranges of [true, false]) {
      const directory = files.path()
      const bundles = await store()
      const broken = upstream(content, 4_000, ranges)
      const first = createBlobs({ directory, bundles, upstream: broken.upstream })
      await expect(first.read(digest)).rejects.toThrow('cut')
      expect(readdirSync(directory)).toEqual([`${digest.slice(7)}.part`])
      const whole = upstream(content, Number.POSITIVE_INFINITY, ranges)
      const second = createBlobs({ directory, bundles, upstream: whole.upstream })
      expect(Buffer.from(await second.read(digest)).equals(content)).toBe(true)
      expect(whole.asked).toEqual([4_000])
      expect(readdirSync(directory)).toEqual([digest.slice(7)])
      await second.read(digest)
      expect(whole.asked).toHaveLength(1)
    }
  })

  it('that is not what its digest names is thrown away, from the manager and from the disk', async () => {
    const directory = files.path()
    const other = sha256(Buffer.from('other'))
    const { upstream: liar, asked } = upstream(content)
    const blobs = createBlobs({ directory, bundles: await store(), upstream: liar })
    await expect(blobs.read(other)).rejects.toMatchObject({ code: 'E_ARTIFACT_DIGEST' })
    expect(readdirSync(directory)).toEqual([])
    await blobs.read(digest)
    writeFileSync(join(directory, digest.slice(7)), 'changed')
    expect(Buffer.from(await blobs.read(digest)).equals(content)).toBe(true)
    expect(asked).toEqual([0, 0, 0])
  })

  it('is bounded, asked for once at a time, and goes when nothing names it', async () => {
    const directory = files.path()
    const { upstream: manager, asked } = upstream(content)
    const small = createBlobs({ directory, bundles: await store(), upstream: manager, maxBytes: 9_000 })
    await expect(small.read(digest)).rejects.toMatchObject({ code: 'E_TOO_LARGE' })
    const blobs = createBlobs({ directory, bundles: await store(), upstream: manager })
    await Promise.all([blobs.read(digest), blobs.read(digest), blobs.ensure(digest)])
    expect(asked).toHaveLength(2)
    await blobs.keepOnly(new Set([digest]))
    expect(await blobs.has(digest)).toBe(true)
    await blobs.keepOnly(new Set())
    expect(await blobs.has(digest)).toBe(false)
    await expect(blobs.read('sha256:../../etc/passwd' as Digest)).rejects.toThrow(RangeError)
  })

  it('without a manager says what would bring it', async () => {
    const blobs = createBlobs({ directory: files.path(), bundles: await store(), upstream: null })
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'E_BLOB_MISSING', retryable: true })
  })
})
