import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sha256 } from '@landfall/stack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf } from '../testing/fixtures.ts'
import { blobPath, layoutReader, readBlob, verifyBlob } from './read-blob.ts'

async function* chunksOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function drain(chunks: AsyncIterable<Uint8Array>) {
  for await (const _ of chunks);
}

describe('blobs', () => {
  it('come through in any chunks, and only as what the digest names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, seed, size) => {
          const expected = { digest: sha256(bytes), size: bytes.length }
          expect(Buffer.from(await readBlob(async () => chunksOf(bytes, size), expected))).toEqual(Buffer.from(bytes))
          const changed = Uint8Array.from(bytes)
          const at = seed % bytes.length
          changed[at] = (changed[at] ?? 0) ^ 1
          expect(await codeOf(() => readBlob(async () => changed, expected))).toBe('E_ARTIFACT_DIGEST')
          expect(await codeOf(() => readBlob(async () => bytes.subarray(1), expected))).toBe('E_ARTIFACT_DIGEST')
        },
      ),
    )
  })

  it('stop at the first byte too many', async () => {
    let given = 0
    async function* endless() {
      for (;;) {
        given++
        yield new Uint8Array(1000)
      }
    }
    const expected = { digest: sha256('x'), size: 5000 }
    expect(await codeOf(() => drain(verifyBlob(endless(), expected)))).toBe('E_ARTIFACT_DIGEST')
    expect(given).toBe(6)
    expect(await codeOf(() => readBlob(async () => endless(), { digest: sha256('x') }, 10_000))).toBe('E_TOO_LARGE')
  })

  it('are read from a layout, and from nowhere else', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'landfall-blobs-'))
    try {
      const digest = sha256('hello')
      await mkdir(dirname(blobPath(dir, digest)), { recursive: true })
      await writeFile(blobPath(dir, digest), 'hello')
      expect(Buffer.from(await readBlob(layoutReader(dir), { digest })).toString()).toBe('hello')
      expect(await codeOf(() => layoutReader(dir)(sha256('absent')))).toBe('E_BLOB_MISSING')
      expect(() => blobPath(dir, 'sha256:../../etc/passwd')).toThrow(RangeError)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})
