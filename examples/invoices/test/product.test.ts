import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltRelease, buildRelease, layoutReader, loadConfig, readWorkerFiles } from '@landfall/release'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slotOf } from '../releases/1.2.0/count-requests.ts'
import { TestPlatform } from './platform.ts'

const project = join(import.meta.dirname, '..')
const platform = new TestPlatform()
let dir = ''

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'acme-invoices-'))
  await platform.start()
})
afterAll(async () => {
  await platform.stop()
  await rm(dir, { recursive: true, force: true })
  delete process.env.INVOICES_VERSION
})

const uses = { uploads: 'storage', index: 'kv', jobs: 'queue', 'link-key': 'secret' } as const
const builds = new Map<string, BuiltRelease>()

async function build(version: string): Promise<BuiltRelease> {
  process.env.INVOICES_VERSION = version
  const { manifest } = await loadConfig(project)
  const built =
    builds.get(version) ?? (await buildRelease({ dir: project, manifest, version, out: join(dir, version) }))
  builds.set(version, built)
  return built
}

/** Builds one worker of a release, unpacks it and runs it. */
async function run(version: string, name: string): Promise<string> {
  const { layoutDir, artifacts } = await build(version)
  const digest = artifacts.find((artifact) => artifact.resource === name)?.digest ?? ''
  const to = join(dir, `${version}-${name}`)
  await mkdir(to, { recursive: true })
  for (const [file, bytes] of Object.entries(await readWorkerFiles(layoutReader(layoutDir), digest))) {
    await writeFile(join(to, file), bytes)
  }
  return platform.run(name, join(to, 'index.mjs'), uses)
}

const invoice = {
  customer: 'acme',
  number: '2026-7',
  issuedOn: '2026-11-21',
  lines: [{ description: 'Hosting', quantity: 3, unitPrice: 1999, vatPercent: 19 }],
}
const post = (url: string, body: NonNullable<RequestInit['body']>, type?: string) =>
  fetch(url, { method: 'POST', body, ...(type ? { headers: { 'content-type': type } } : {}) })

const jsonOf = async <T>(response: Response) => (await response.json()) as T

describe('acme-invoices, built and run', () => {
  it('takes an invoice, works out its totals once, and shows it', async () => {
    const api = await run('1.1.0', 'api')
    const processor = await run('1.1.0', 'processor')
    const taken = await post(`${api}/invoices`, JSON.stringify(invoice), 'application/json')
    expect(taken.status).toBe(201)
    const { id } = await jsonOf<{ id: string }>(taken)
    const message = platform.messages.at(-1)
    for (const attempt of [1, 2]) {
      const lines = await platform.invoke(processor, {
        kind: 'queue',
        queue: 'jobs',
        message: {
          id: message?.id ?? '',
          body: message?.body ?? '',
          encoding: 'base64',
          contentType: 'application/json',
          attempt,
          enqueuedAt: 0,
        },
      })
      expect(lines.at(-1)).toMatchObject({ done: true })
    }
    // The second delivery changed nothing.
    expect(platform.items.get(`invoices\0${id}`)?.version).toBe(2)
    const shown = await (await fetch(`${api}/invoices/${id}`)).json()
    expect(shown).toMatchObject({ status: 'processed', totals: { net: 5997, gross: 7136 } })
    const summary = await fetch(`${api}/invoices/${id}/summary`, { headers: { 'accept-language': 'en-GB' } })
    expect(await summary.json()).toMatchObject({ gross: '€71.36', final: true })
    const listed = await jsonOf<{ items: { id: string }[] }>(await fetch(`${api}/invoices?customer=acme`))
    expect(listed.items.map((one) => one.id)).toContain(id)
  })

  it('takes files as a form and raw, and gives them back by a signed link alone', async () => {
    const api = await run('1.0.0', 'api')
    const form = new FormData()
    form.set('invoice', JSON.stringify({ ...invoice, customer: 'forms' }))
    form.set('file', new File(['%PDF-1.7'], 'invoice.pdf', { type: 'application/pdf' }))
    const byForm = await post(`${api}/invoices`, form)
    const raw = await post(
      `${api}/invoices?customer=forms&number=8&issuedOn=2026-11-20&name=scan.png`,
      'PNG',
      'image/png',
    )
    for (const [answer, content] of [
      [byForm, '%PDF-1.7'],
      [raw, 'PNG'],
    ] as const) {
      expect(answer.status).toBe(201)
      const { link } = await jsonOf<{ link: string }>(answer)
      expect(await (await fetch(api + link)).text()).toBe(content)
      expect((await fetch(api + link.slice(0, -1))).status).toBe(403)
    }
    expect((await fetch(`${api}/invoices/inv_${'0'.repeat(32)}/summary`)).status).toBe(404)
  })

  it('refuses what it can not take, and says why', async () => {
    const api = await run('1.2.1', 'api')
    const bad = await post(`${api}/invoices`, '{"customer":"A"}', 'application/json')
    expect(bad.status).toBe(422)
    expect((await jsonOf<{ problems: string[] }>(bad)).problems.length).toBeGreaterThan(2)
    expect((await post(`${api}/invoices`, '{', 'application/json')).status).toBe(422)
    // In pieces, so that the size is not known beforehand and the API reads to its limit: an answer to a body that is
    // still being written may be lost to the client, in HTTP/1.1.
    const large = new Blob(['x'.repeat(5 * 1024 * 1024 + 1)]).stream()
    const refused = await fetch(`${api}/invoices`, { method: 'POST', body: large, duplex: 'half' })
    expect(refused.status).toBe(413)
    expect((await fetch(`${api}/invoices`)).status).toBe(400)
    expect((await fetch(`${api}/nowhere`)).status).toBe(404)
    expect((await fetch(`${api}/invoices`, { method: 'DELETE' })).status).toBe(405)
    expect((await fetch(`${api}/invoices/inv_${'0'.repeat(32)}`)).status).toBe(404)
  })

  it('reindexes and exports by command, telling how far it is', async () => {
    const api = await run('1.2.1', 'api')
    const [lost] = [...platform.items.keys()].filter((key) => key.startsWith('invoices\0'))
    platform.items.delete(lost ?? '')
    const call = (command: string, input: unknown) =>
      platform.invoke(api, { kind: 'command', command, id: 'call-1', attempt: 1, input, deadline: Date.now() + 30_000 })
    const sent = platform.messages.length
    const reindexed = await call('reindex', {})
    expect(reindexed.at(-1)).toMatchObject({ done: true, result: { added: 1 } })
    expect(reindexed.length).toBeGreaterThan(1)
    // What was lost is queued again, for its totals.
    expect(platform.messages.length).toBe(sent + 1)
    expect((await call('reindex', { dryRun: true })).at(-1)).toMatchObject({ result: { added: 0 } })
    expect((await call('export', { customer: 'forms' })).at(-1)).toMatchObject({
      result: { invoices: 2, key: 'exports/call-1.csv' },
    })
    expect(platform.objects.get('exports/call-1.csv')?.body.toString()).toMatch(/^id,customer,.*\r\n.*,forms,/)
  })

  it('writes a digest of the day before', async () => {
    const worker = await run('1.2.1', 'digest')
    const tomorrow = Date.now() + 86_400_000
    const lines = await platform.invoke(worker, { kind: 'cron', schedule: '0 6 * * *', scheduledAt: tomorrow })
    expect(lines.at(-1)).toMatchObject({ done: true })
    const key = [...platform.objects.keys()].find((one) => one.startsWith('digests/')) ?? ''
    expect(platform.objects.get(key)?.body.toString()).toMatch(/^Invoices of .*\n3 received, 3 not processed yet\n/)
  })

  it('answers 500 to the same three in a hundred in 1.2.0, and stays healthy', async () => {
    const api = await run('1.2.0', 'api')
    const ids = Array.from({ length: 120 }, (_, at) => `r-${at}`)
    const ask = async (id: string) => (await fetch(`${api}/`, { headers: { 'x-request-id': id } })).status
    const statuses = await Promise.all(ids.map(ask))
    expect(statuses).toEqual(ids.map((id) => (slotOf(id) < 97 ? 200 : 500)))
    expect(statuses).toContain(500)
    expect((await fetch(`${api}/healthz`)).status).toBe(200)
  })

  it('changes the API alone from release to release, and never what setup made', async () => {
    const [first, last] = [await build('1.0.0'), await build('1.2.1')]
    const digests = (one: BuiltRelease) => Object.fromEntries(one.artifacts.map((a) => [a.resource, a.digest]))
    expect(digests(last).processor).toBe(digests(first).processor)
    expect(digests(last).digest).toBe(digests(first).digest)
    expect(digests(last).api).not.toBe(digests(first).api)
    const rest = (one: BuiltRelease) => one.manifest.resources.filter((resource) => resource.name !== 'api')
    expect(rest(last)).toEqual(rest(first))
  })

  it('is paced by the environment, and refuses a version that is not there', async () => {
    const stepsOf = async () => {
      const { manifest } = await loadConfig(project)
      const api = manifest.resources.find((resource) => resource.name === 'api')
      return api?.type === 'worker' ? api.rollout?.steps.map((step) => [step.share, step.bake]) : undefined
    }
    process.env.INVOICES_VERSION = '1.1.0'
    expect(await stepsOf()).toEqual([
      [20, '5m'],
      [50, '10m'],
      [100, '5m'],
    ])
    process.env.INVOICES_PACE = 'demo'
    expect(await stepsOf()).toEqual([
      [20, '4s'],
      [50, '4s'],
      [100, '3s'],
    ])
    delete process.env.INVOICES_PACE
    process.env.INVOICES_VERSION = '9.9.9'
    await expect(loadConfig(project)).rejects.toMatchObject({ code: 'E_CONFIG_FAILED' })
  })
})
