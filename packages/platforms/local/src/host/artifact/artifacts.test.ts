import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pack } from '../../testing/pack.ts'
import { Artifacts } from './artifacts.ts'

let directory: string
let artifacts: Artifacts
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-artifacts-'))
  artifacts = new Artifacts(join(directory, 'artifacts'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test('unpacks plain and gzipped archives, once, and sweeps what nobody names', async () => {
  const { digest, bytes } = pack({ 'index.mjs': 'export {}', 'assets/a.txt': 'a' })
  await artifacts.put(digest, bytes)
  await artifacts.put(digest, bytes)
  expect(await readFile(join(artifacts.path(digest), 'assets/a.txt'), 'utf8')).toBe('a')
  const zipped = gzipSync(bytes)
  await artifacts.put(digestOf(zipped), zipped)
  expect(artifacts.has(digestOf(zipped))).toBe(true)
  await artifacts.sweep(new Set([digest]))
  expect(await readdir(join(directory, 'artifacts'))).toEqual([digest.slice('sha256:'.length)])
})

test('what is dropped is gone, with its files; what is not there may be dropped', async () => {
  const { digest, bytes } = pack({ 'index.mjs': 'export {}' })
  await artifacts.put(digest, bytes)
  const dropped = artifacts.drop(digest)
  expect(artifacts.has(digest)).toBe(false)
  await dropped
  await artifacts.drop(digest)
  expect(await readdir(join(directory, 'artifacts'))).toEqual([])
})

test('bytes that do not have their digest are refused', async () => {
  const { digest, bytes } = pack({ 'index.mjs': 'export {}' })
  bytes[600] = 1
  await expect(artifacts.put(digest, bytes)).rejects.toMatchObject({ code: 'E_ARTIFACT_DIGEST' })
  expect(artifacts.has(digest)).toBe(false)
})

test.each([
  ['a path upwards', { 'index.mjs': '', '../evil.mjs': 'x' }],
  ['a path upwards inside', { 'index.mjs': '', 'a/../../evil.mjs': 'x' }],
  ['an absolute path', { 'index.mjs': '', '/tmp/evil.mjs': 'x' }],
  ['no entry', { 'main.mjs': '' }],
])('an archive with %s is refused and leaves nothing', async (_what, files) => {
  const { digest, bytes } = pack(files)
  await expect(artifacts.put(digest, bytes)).rejects.toMatchObject({ code: 'E_ARTIFACT_INVALID' })
  expect(await readdir(directory)).toEqual(['artifacts'])
  expect(await readdir(join(directory, 'artifacts'))).toEqual([])
})

test.each([
  ['a link', (bytes: Buffer) => bytes.write('2', 156)],
  ['an end too early', (bytes: Buffer) => bytes.write('77777777777', 124)],
])('an archive with %s is refused', async (_what, spoil) => {
  const bytes = Buffer.from(pack({ 'index.mjs': 'export {}' }).bytes)
  spoil(bytes)
  await expect(artifacts.put(digestOf(bytes), bytes)).rejects.toMatchObject({ code: 'E_ARTIFACT_INVALID' })
})
