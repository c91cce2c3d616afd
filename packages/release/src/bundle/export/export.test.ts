import { readFile, truncate, writeFile } from 'node:fs/promises'
import { sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEnvelope } from '../../dsse/envelope.ts'
import { createSigningKey } from '../../keys/signing-key.ts'
import { codeOf, iso, now } from '../../testing/fixtures.ts'
import { importBundle } from '../import-bundle.ts'
import { createReceipt, verifyReceipt } from '../receipt.ts'
import { BundleStore } from '../store/bundle-store.ts'
import { BundleWorld, noise, tarEntries } from '../testing/bundle-world.ts'
import { type CreateExportOptions, createExport } from './create-export.ts'
import { readEnrolment } from './read-enrolment.ts'
import { readExport, verifyExport } from './verify-export.ts'

let world: BundleWorld
const agent = createSigningKey('agent')
let receipt: Awaited<ReturnType<typeof createReceipt>>
let bundle = ''
beforeAll(async () => {
  world = await BundleWorld.create()
  const release = await world.release({ version: '1.0.0', sequence: 7, workers: { api: noise(3000) } })
  const { file, id } = await world.bundle({ releases: [release] })
  bundle = id
  const { record } = await importBundle(file, await BundleStore.open(world.path('store')), world.site())
  receipt = await createReceipt(record, { deployment: world.deployment, agent })
})
afterAll(() => world[Symbol.asyncDispose]())

const logs = Buffer.from('{"resourceLogs":[]}\n{"resourceLogs":[]}\n')

async function make(change: Partial<CreateExportOptions> = {}, name = 'export.tar') {
  const spool = world.path('spool.jsonl')
  await writeFile(spool, logs)
  const out = world.path(name)
  await createExport({
    out,
    project: 'acme',
    deployment: world.deployment,
    agent,
    sequence: 5,
    now,
    status: { state: 'running', since: iso(now) },
    receipts: [receipt],
    results: [
      { id: 'cmd-2', sealed: true, content: noise(500) },
      { id: 'cmd-1', sealed: false, content: Buffer.from('{"ok":true}') },
    ],
    telemetry: { logs: { file: spool } },
    checkpoints: [{ height: 12, hash: 'abc' }],
    ...change,
  })
  return out
}

const site = (change = {}) => ({
  agent: agent.toPublic(),
  project: 'acme',
  deployment: world.deployment,
  lastSequence: 4,
  ...change,
})

describe('a receipt', () => {
  it('says what was imported, by whose word', () => {
    const read = verifyReceipt(receipt, site())
    expect(read).toMatchObject({ bundle, importedAt: iso(now), agent: agent.id, keysetVersion: 3 })
    expect(read.releases).toMatchObject([{ version: '1.0.0', sequence: 7 }])
    expect(read.written.blobs).toBeGreaterThan(3)
  })

  it('is refused from another key, for another deployment, or changed', async () => {
    const other = createSigningKey('agent').toPublic()
    expect(await codeOf(() => verifyReceipt(receipt, site({ agent: other })))).toBe('E_KEY_UNKNOWN')
    expect(await codeOf(() => verifyReceipt(receipt, site({ deployment: 'dep-acme' })))).toBe('E_EXPORT_DEPLOYMENT')
    const payload = Buffer.from(receipt.payload, 'base64').toString().replace('1.0.0', '1.0.1')
    const changed = { ...receipt, payload: Buffer.from(payload).toString('base64') }
    expect(await codeOf(() => verifyReceipt(changed, site()))).toBe('E_SIGNATURE_INVALID')
  })
})

describe('an export', () => {
  it('shows its enrolment before its key is known, and carries reports in their order', async () => {
    expect(await readEnrolment(await make({ checkpoints: [{ a: 1 }, { b: 2 }] }))).toBeNull()
    const enrolment = { deployment: 'dep', proof: 'p' }
    const file = await make({ enrolment, reports: [{ number: 1 }, { number: 2 }] }, 'enrolment.tar')
    expect(await readEnrolment(file)).toEqual(enrolment)
    const reports = []
    for await (const { file: entry, content } of readExport(file, site())) {
      const parts = []
      for await (const chunk of content) parts.push(chunk)
      if (entry.kind === 'status') reports.push(JSON.parse(Buffer.concat(parts).toString()))
    }
    expect(reports).toMatchObject([{ state: 'running' }, { number: 1 }, { number: 2 }])
    const bytes = await readFile(file)
    const at = bytes.indexOf('"proof":"p"')
    bytes[at + 9] = 'q'.charCodeAt(0)
    await writeFile(file, bytes)
    expect(await codeOf(() => readEnrolment(file))).toBe('E_ARCHIVE_DIGEST')
  })

  it('has the same bytes for the same input, and gives back what went in', async () => {
    const file = await make()
    expect(sha256(await readFile(file))).toBe(sha256(await readFile(await make({}, 'again.tar'))))
    const proved = await verifyExport(file, site())
    expect(proved.receipts).toMatchObject([{ bundle }])
    expect(proved.manifest.sequence).toBe(5)
    const found = new Map<string, Buffer>()
    const sealed: Record<string, boolean | undefined> = {}
    for await (const { file: entry, content } of readExport(file, site())) {
      const parts: Uint8Array[] = []
      for await (const chunk of content) parts.push(chunk)
      found.set(entry.name, Buffer.concat(parts))
      if (entry.kind === 'command-result') sealed[entry.name] = entry.sealed
    }
    expect(found.get('telemetry/logs.jsonl')).toEqual(logs)
    expect(found.get('results/cmd-2')).toEqual(Buffer.from(noise(500)))
    expect(sealed).toEqual({ 'results/cmd-1': false, 'results/cmd-2': true })
    expect(found.get('status.json')?.toString()).toContain('running')
    expect([...found.keys()].filter((name) => name.startsWith('audit/'))).toHaveLength(1)
    const carried = [...found].find(([name]) => name.startsWith('receipts/'))?.[1].toString() ?? ''
    expect(parseEnvelope(carried)).toEqual(receipt)
  })

  it('is taken once, and none that is older', async () => {
    const file = await make()
    expect(await codeOf(() => verifyExport(file, site({ lastSequence: 5 })))).toBe('E_EXPORT_REPLAYED')
    expect(await codeOf(() => verifyExport(file, site({ lastSequence: 9 })))).toBe('E_EXPORT_REPLAYED')
  })

  it('is refused for another deployment, from another agent, with a foreign receipt, or too large', async () => {
    const file = await make()
    const other = createSigningKey('agent')
    expect(await codeOf(() => verifyExport(file, site({ deployment: 'dep-acme' })))).toBe('E_EXPORT_DEPLOYMENT')
    expect(await codeOf(() => verifyExport(file, site({ project: 'other' })))).toBe('E_EXPORT_DEPLOYMENT')
    expect(await codeOf(() => verifyExport(file, site({ agent: other.toPublic() })))).toBe('E_KEY_UNKNOWN')
    expect(await codeOf(() => verifyExport(file, site({ maxBytes: 100 })))).toBe('E_ARCHIVE_LIMIT')
    const stolen = await make({ agent: other }, 'stolen.tar')
    expect(await codeOf(() => verifyExport(stolen, site({ agent: other.toPublic() })))).toBe('E_KEY_UNKNOWN')
    expect(await codeOf(() => verifyExport(world.path('none.tar'), site()))).toBe('E_EXPORT_NOT_FOUND')
  })

  it('has one spelling: the same manifest, written in another way, is refused', async () => {
    const bytes = await readFile(await make())
    const [first] = tarEntries(bytes)
    if (!first) throw new Error('it is empty')
    const envelope = parseEnvelope(bytes.toString('utf8', first.start, first.start + first.size))
    const { payload, payloadType, signatures } = envelope
    const respelled = Buffer.from(
      JSON.stringify({ signatures: signatures.map(({ keyid, sig }) => ({ sig, keyid })), payloadType, payload }),
    )
    expect(respelled.length).toBe(first.size)
    bytes.set(respelled, first.start)
    const file = world.path('respelled.tar')
    await writeFile(file, bytes)
    expect(await codeOf(() => verifyExport(file, site()))).toBe('E_EXPORT_INVALID')
  })

  it('is not made of names that lead elsewhere', async () => {
    for (const id of ['../x', 'a/b', '', '-x', 'x'.repeat(101)]) {
      const results = [{ id, sealed: true, content: noise(5) }]
      expect(await codeOf(() => make({ results }, 'bad.tar'))).toBe('E_EXPORT_INVALID')
    }
  })

  it('is refused whichever byte was changed, and at whichever block it ends', async () => {
    const file = await make()
    const bytes = await readFile(file)
    const positions = new Set<number>()
    for (const { header, start, size } of tarEntries(bytes)) {
      for (let at = header; at < start; at += 23) positions.add(at)
      for (const at of [start, start + (size >> 1), start + size - 1]) positions.add(at)
    }
    for (let at = 0; at < bytes.length; at += 101) positions.add(at)
    const target = world.path('changed.tar')
    const passed: unknown[] = []
    for (const at of positions) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      await writeFile(target, changed)
      const code = await codeOf(() => verifyExport(target, site()))
      if (!code.startsWith('E_')) passed.push([at, code])
    }
    expect(passed).toEqual([])
    await writeFile(target, bytes)
    for (let length = bytes.length - 512; length >= 0; length -= 512) {
      await truncate(target, length)
      expect(await codeOf(() => verifyExport(target, site()))).toBe('E_ARCHIVE_TRUNCATED')
    }
  })
})
