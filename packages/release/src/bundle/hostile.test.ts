import { readFile, truncate, writeFile } from 'node:fs/promises'
import { LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf } from '../testing/fixtures.ts'
import { tarBlock, tarHeader } from './archive/tar-header.ts'
import { importBundle } from './import-bundle.ts'
import { inspectBundle } from './inspect-bundle.ts'
import { BundleStore } from './store/bundle-store.ts'
import { BundleWorld, noise, tarEntries } from './testing/bundle-world.ts'
import { verifyBundle } from './verify-bundle.ts'

let world: BundleWorld
let bytes: Buffer
beforeAll(async () => {
  world = await BundleWorld.create()
  const release = await world.release({ version: '1.0.0', sequence: 7, workers: { api: noise(3000) } })
  const sbom = Buffer.from('{"bomFormat":"CycloneDX"}')
  const attachments = [{ name: 'agent', mediaType: 'application/octet-stream', content: noise(700, 4) }]
  const commands = [await world.command()]
  const { file } = await world.bundle({
    releases: [{ ...release, sbom }],
    attachments,
    commands,
    deployment: world.deployment,
  })
  bytes = await readFile(file)
})
afterAll(() => world[Symbol.asyncDispose]())

async function verify(content: Uint8Array): Promise<string> {
  const file = world.path('hostile.tar')
  await writeFile(file, content)
  return codeOf(() => verifyBundle(file, world.site()))
}

/** Runs a change of the bytes and expects import to refuse it and to show nothing. */
async function refused(content: Uint8Array): Promise<{ code: string; message: string }> {
  const file = world.path('hostile.tar')
  await writeFile(file, content)
  const store = await BundleStore.open(world.path('hostile-store'))
  const error = await importBundle(file, store, world.site()).catch((cause: unknown) => cause)
  expect(await store.imports()).toEqual([])
  if (!LandfallError.is(error)) throw new Error(`not refused by an error of ours: ${String(error)}`)
  return { code: error.code, message: error.message }
}

function entry(match: (name: string, size: number) => boolean) {
  for (const found of tarEntries(bytes)) if (match(found.name, found.size)) return found
  throw new Error('no such entry')
}

/** The header of an entry with a change, its checksum made right again. */
function withHeader(at: number, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  const header = copy.subarray(at, at + tarBlock)
  change(header)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return copy
}

describe('a bundle that was changed on its way', () => {
  it('is refused whichever byte it was', async () => {
    expect(await verify(bytes)).toBe('none')
    const positions = new Set<number>()
    // Every header whole, the documents that trust is built from, the ends, and samples of the rest.
    for (const { header, start, size } of tarEntries(bytes)) {
      for (let at = header; at < start; at += 17) positions.add(at)
      for (const at of [start, start + (size >> 1), start + size - 1, start + size]) positions.add(at)
    }
    for (let at = 0; at < bytes.length; at += 197) positions.add(at)
    for (let at = bytes.length - 1024; at < bytes.length; at += 61) positions.add(at)
    const passed: number[] = []
    const foreign: string[] = []
    for (const at of positions) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const code = await verify(changed)
      if (code === 'none') passed.push(at)
      if (!code.startsWith('E_')) foreign.push(`${at}: ${code}`)
    }
    expect(positions.size).toBeGreaterThan(500)
    expect({ passed, foreign }).toEqual({ passed: [], foreign: [] })
  })

  it('is refused when it ends at any block, or goes on', async () => {
    const file = world.path('truncated.tar')
    await writeFile(file, bytes)
    const codes = new Set<string>()
    for (let length = bytes.length - tarBlock; length >= 0; length -= tarBlock) {
      await truncate(file, length)
      codes.add(await codeOf(() => verifyBundle(file, world.site())))
    }
    expect([...codes]).toEqual(['E_ARCHIVE_TRUNCATED'])
    expect((await refused(Buffer.concat([bytes, Buffer.alloc(tarBlock)]))).code).toBe('E_ARCHIVE_ENTRY')
  })

  it('can still be inspected, and its true size be told', async () => {
    const file = world.path('short.tar')
    await writeFile(file, bytes.subarray(0, bytes.length - 4096))
    expect(await inspectBundle(file)).toMatchObject({ size: bytes.length - 4096, expectedSize: bytes.length })
  })

  const large = () => entry((name, size) => name.startsWith('blobs/') && size > 3000 && size < 8000 && size % 512 === 0)

  it.each([
    ['../../etc/cron.d/evil', 'leads out'],
    ['/etc/passwd', 'leads out'],
    ['blobs/../../evil', 'leads out'],
    ['C:\\evil', 'leads out'],
    ['oci-layout', 'twice'],
    ['index.json', 'twice'],
    ['something-else', 'where blobs/'],
  ])('is refused with an entry named %s', async (name, why) => {
    const changed = withHeader(large().header, (header) => {
      header.fill(0, 0, 100)
      header.write(name)
    })
    const { code, message } = await refused(changed)
    expect(code).toBe('E_ARCHIVE_ENTRY')
    expect(message).toContain(why)
  })

  it.each([
    ['1', 'hard link'],
    ['2', 'symbolic link'],
    ['3', 'character device'],
    ['4', 'block device'],
    ['5', 'directory'],
    ['6', 'named pipe'],
    ['x', 'extended header'],
    ['L', 'long name'],
    ['S', 'sparse'],
  ])('is refused with an entry of type %s', async (type, why) => {
    const { code, message } = await refused(
      withHeader(large().header, (header) => {
        header.write(type, 156)
        header.write('/etc/shadow', 157)
      }),
    )
    expect(code).toBe('E_ARCHIVE_ENTRY')
    expect(message).toContain(why)
  })

  it('is refused with a path that leads out by the prefix field, or another mode', async () => {
    const prefix = withHeader(large().header, (header) => header.write('../..', 345))
    expect((await refused(prefix)).message).toContain('leads out')
    const mode = withHeader(large().header, (header) => header.write('0004755', 100))
    expect((await refused(mode)).code).toBe('E_ARCHIVE_ENTRY')
  })

  it('is refused with an entry that is larger than was signed, before a byte of it is read', async () => {
    for (const size of ['77777777777', '00000000001']) {
      const changed = withHeader(large().header, (header) => header.write(size, 124))
      expect((await refused(changed)).message).toContain('does not say what was signed')
    }
    // A document that claims to be a gigabyte is not read into memory.
    const index = entry((name) => name === 'index.json')
    const bomb = withHeader(index.header, (header) => header.write('10000000000', 124))
    expect((await refused(bomb)).code).toBe('E_ARCHIVE_LIMIT')
  })

  it('is refused with an entry more, a blob twice, or one in the place of another', async () => {
    const extra = Buffer.concat([
      bytes.subarray(0, -1024),
      tarHeader('blobs/sha256/evil', 512),
      noise(512),
      Buffer.alloc(1024),
    ])
    expect((await refused(extra)).code).toBe('E_ARCHIVE_ENTRY')
    const { header, size } = large()
    const copy = bytes.subarray(header, header + tarBlock + size)
    const twice = Buffer.concat([bytes.subarray(0, header), copy, bytes.subarray(header)])
    expect((await refused(twice)).message).toContain('twice')
  })

  it('is refused with a blob of a name and size that fit, and another content', async () => {
    const { start, size } = large()
    const changed = Buffer.from(bytes)
    changed.set(noise(size, 99), start)
    expect((await refused(changed)).code).toBe('E_ARCHIVE_DIGEST')
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['zeros', new Uint8Array(10_240)],
    ['noise', noise(10_240)],
    ['a compressed file', Uint8Array.from([0x1f, 0x8b, 8, 0, ...noise(2000)])],
    ['JSON', Buffer.from('{"a":1}')],
    ['broken JSON', Buffer.from('{{{{')],
  ])('is refused when it is %s', async (_, content) => {
    expect((await refused(content)).code).toMatch(/^E_(ARCHIVE_(TRUNCATED|ENTRY)|BUNDLE_INVALID)$/)
  })
})

describe('many small files', () => {
  it('ten thousand are imported, and more than the limit are refused by it', async () => {
    const attachments = Array.from({ length: 10_000 }, (_, at) => ({
      name: `files/${String(at).padStart(5, '0')}`,
      mediaType: 'text/plain',
      content: Buffer.from(`file ${at}`),
    }))
    const { file } = await world.bundle({ releases: [], attachments }, 'many.tar')
    const store = await BundleStore.open(world.path('many-store'))
    const limited = world.site({ limits: { maxEntries: 9_999 } })
    await expect(importBundle(file, store, limited)).rejects.toMatchObject({ code: 'E_ARCHIVE_LIMIT' })
    const { record } = await importBundle(file, store, world.site())
    expect(record.attachments).toHaveLength(10_000)
    expect(record.written.blobs).toBe(10_001)
  }, 60_000)
})
