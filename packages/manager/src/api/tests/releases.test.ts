import { createSigningKey } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'
import { overtaken } from '../../testing/overtaken.ts'

let server: TestServer
let manager: TestManager
let vendor: Awaited<ReturnType<TestManager['project']>>
let project = ''
let ci: ReturnType<TestManager['client']>
let admin: ReturnType<TestManager['client']>
let count = 0

beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
beforeEach(async () => {
  project = `acme${count++}`
  vendor = await manager.project(project)
  ci = manager.client(await manager.machine('ci', { project }))
  admin = manager.client((await manager.person(`admin${count}`, { project, role: 'admin' })).token)
})
afterAll(() => server.stop())

const params = () => ({ project })
async function publish(version: string, sequence: number, change: Partial<Parameters<typeof vendor.release>[0]> = {}) {
  const release = await vendor.release({ version, sequence, ...change })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  return ci.createRelease({ params: params(), body: { envelope: release.envelope } })
}
async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (LandfallError.is(error) ? error.code : String(error)),
  )
}

describe('releases', () => {
  it('are published once, signed, and start a rollout', async () => {
    expect(await ci.nextSequence({ params: params() })).toEqual({ next: 1 })
    const { release, rollout } = await publish('1.0.0', 1)
    expect(release).toMatchObject({ version: '1.0.0', channel: 'stable', sequence: 1, signedBy: [{ kind: 'vendor' }] })
    expect(rollout).toMatch(/^rol_/)
    expect(await ci.nextSequence({ params: params() })).toEqual({ next: 2 })
    const detail = await ci.getRelease({ params: { project, release: '1.0.0' } })
    expect(detail.digest).toBe(release.digest)
    expect(detail.difference.from).toBeNull()
  })

  it('published again are the same release, not another', async () => {
    const release = await vendor.release({ version: '1.0.0', sequence: 1 })
    await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
    const send = () => ci.createRelease({ params: params(), body: { envelope: release.envelope } })
    const first = await send()
    expect(await send()).toEqual(first)
    expect((await ci.listReleases({ params: params() })).items).toHaveLength(1)
  })

  it('need every artifact, and say which is missing', async () => {
    const { envelope } = await vendor.release({ version: '1.0.0', sequence: 1 })
    const refused = ci.createRelease({ params: params(), body: { envelope } })
    await expect(refused).rejects.toMatchObject({ code: 'E_ARTIFACT_MISSING', problems: [{ path: 'artifacts.api' }] })
    expect((await ci.listReleases({ params: params() })).items).toEqual([])
  })

  it('are refused when tampered with, signed by a stranger, or meant for another project', async () => {
    const good = await vendor.release({ version: '1.0.0', sequence: 1 })
    await ci.putBlob({ params: { project, digest: good.digest }, body: good.blob })
    const send = (envelope: typeof good.envelope) => code(ci.createRelease({ params: params(), body: { envelope } }))
    const text = Buffer.from(good.envelope.payload, 'base64').toString().replace('"1.0.0"', '"6.6.6"')
    expect(await send({ ...good.envelope, payload: Buffer.from(text).toString('base64') })).toBe('E_SIGNATURE_INVALID')
    const stranger = await vendor.release({ version: '1.0.0', sequence: 1, by: createSigningKey('vendor') })
    expect(await send(stranger.envelope)).toBe('E_KEY_UNKNOWN')
    const other = await manager.project(`other${count}`)
    expect(await send((await other.release({ version: '1.0.0', sequence: 1 })).envelope)).toBe('E_KEY_UNKNOWN')
    expect(await send(good.envelope)).toBe('none')
  })

  it('go forward: an older sequence and a version used twice are refused', async () => {
    await publish('1.0.0', 5)
    expect(await code(publish('1.1.0', 5))).toBe('E_SEQUENCE_OLDER')
    expect(await code(publish('0.9.0', 4))).toBe('E_SEQUENCE_OLDER')
    expect(await code(publish('1.0.0', 6, { code: 'other' }))).toBe('E_RELEASE_EXISTS')
    expect(await code(publish('1.1.0', 6))).toBe('none')
  })

  it('published at the same moment get through one at a time', async () => {
    const results = await Promise.all([code(publish('1.0.0', 1)), code(publish('1.0.1', 1)), code(publish('1.0.2', 1))])
    expect(results.filter((result) => result === 'none')).toHaveLength(1)
    expect(results.filter((result) => result === 'E_SEQUENCE_OLDER')).toHaveLength(2)
  })

  it('are held against the one that is being published', async () => {
    const late = await overtaken(
      manager.db,
      (trx) => trx.updateTable('projects').set({ last_sequence: 1 }).where('name', '=', project).execute(),
      () => code(publish('1.0.0', 1)),
    )
    expect(late).toBe('E_SEQUENCE_OLDER')
    expect((await ci.listReleases({ params: params() })).items).toEqual([])
  })

  it('in pages, newest first', async () => {
    for (let i = 1; i <= 5; i++) await publish(`1.0.${i}`, i)
    const first = await ci.listReleases({ params: params(), query: { limit: 2 } })
    const second = await ci.listReleases({ params: params(), query: { limit: 3, after: first.next ?? '' } })
    expect([...first.items, ...second.items].map((item) => item.version)).toEqual([
      '1.0.5',
      '1.0.4',
      '1.0.3',
      '1.0.2',
      '1.0.1',
    ])
    expect(second.next).toBeNull()
    expect(await code(ci.listReleases({ params: params(), query: { after: 'x' } }))).toBe('E_INVALID_REQUEST')
  })
})

describe('blobs', () => {
  it('come back as they were sent, in any size around a chunk', async () => {
    for (const size of [0, 1, 1_048_575, 1_048_576, 1_048_577, 3_500_000]) {
      const bytes = new Uint8Array(size).map((_, index) => (index * 31) % 251)
      const digest = `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')}`
      await ci.putBlob({ params: { project, digest }, body: bytes })
      const response = await ci.getBlob({ params: { project, digest } })
      expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(bytes)), String(size)).toBe(true)
    }
  })

  it('with another digest are refused and leave nothing', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    expect(await code(ci.putBlob({ params: { project, digest }, body: new Uint8Array([1, 2, 3]) }))).toBe(
      'E_BLOB_DIGEST',
    )
    expect(await ci.hasBlobs({ params: params(), body: { digests: [digest] } })).toEqual({ missing: [digest] })
    const left = await manager.db
      .selectFrom('blob_uploads')
      .leftJoin('blobs', 'blobs.upload', 'blob_uploads.id')
      .select('blob_uploads.id')
      .where('blobs.digest', 'is', null)
      .execute()
    expect(left).toEqual([])
  })

  it('of another project are not here', async () => {
    const release = await vendor.release({ version: '1.0.0', sequence: 1 })
    await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
    const other = `other${count}`
    await manager.project(other)
    const foreign = manager.client(await manager.machine('ci', { project: other }))
    const answer = await foreign.hasBlobs({ params: { project: other }, body: { digests: [release.digest] } })
    expect(answer.missing).toEqual([release.digest])
    expect(await code(foreign.getBlob({ params: { project: other, digest: release.digest } }))).toBe('E_NOT_FOUND')
  })
})

describe('keysets', () => {
  it('are replaced by a newer one that the pinned root signed, and by no other', async () => {
    const put = (envelope: typeof vendor.keysetEnvelope) =>
      code(admin.putKeyset({ params: params(), body: { envelope } }))
    const third = await vendor.keyset(3)
    expect(await put(third)).toBe('none')
    expect(await put(third)).toBe('none')
    expect(await put(await vendor.keyset(2))).toBe('E_KEYSET_OLDER')
    expect(await put(await vendor.keyset(3, { expiresInDays: 10 }))).toBe('E_KEYSET_OLDER')
    const stranger = await manager.project(`stranger${count}`)
    expect(await put(await stranger.keyset(9))).toBe('E_ROOT_UNTRUSTED')
    const tampered = {
      ...third,
      payload: Buffer.from(
        Buffer.from(third.payload, 'base64').toString().replace('"version":3', '"version":9'),
      ).toString('base64'),
    }
    expect(await put(tampered)).toBe('E_SIGNATURE_INVALID')
    expect(await put(await vendor.keyset(4, { expiresInDays: -1 }))).toBe('E_KEYSET_EXPIRED')
    expect((await admin.getProject({ params: params() })).keyset).toBe(3)
  })

  it('decide at once whose releases are taken', async () => {
    const next = createSigningKey('vendor')
    await admin.putKeyset({ params: params(), body: { envelope: await vendor.keyset(2, { keys: [next] }) } })
    expect(await code(publish('1.0.0', 1))).toBe('E_KEY_UNKNOWN')
    expect(await code(publish('1.0.0', 1, { by: next }))).toBe('none')
  })

  it('pin the root at the creation of a project', async () => {
    const root = manager.client((await manager.person(`op${count}`, { operator: true })).token)
    const name = `new${count}`
    const keyset = await (await manager.project(`tmp${count}`)).keyset(1)
    const body = { name, rootPublicKey: vendor.root.publicKey, keyset }
    expect(await code(root.createProject({ body }))).toBe('E_ROOT_UNTRUSTED')
    expect(await code(root.createProject({ body: { ...body, rootPublicKey: 'AAAA' } }))).toBe('E_KEY_FILE')
    const { createVendor } = await import('../../testing/vendor.ts')
    const fresh = createVendor(name, manager.clock.now())
    const made = { name, rootPublicKey: fresh.root.publicKey, keyset: await fresh.keyset(1) }
    expect(await root.createProject({ body: made })).toMatchObject({
      name,
      keyset: 1,
      role: 'admin',
      rootKey: fresh.root.id,
    })
    expect(await code(root.createProject({ body: made }))).toBe('E_EXISTS')
  })
})
