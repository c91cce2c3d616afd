import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestManager, startTestServer, type TestManager, type TestServer } from '@landfall/manager/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../../main.ts'

let server: TestServer
let http: Server
let manager: TestManager
let url = ''
let directory = ''
let project = ''
let admin = ''
let link = ''
let count = 0

beforeAll(async () => {
  server = await startTestServer()
  directory = mkdtempSync(join(tmpdir(), 'landfall-portal-'))
  http = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const body = parts.length > 0 ? { body: Uint8Array.from(Buffer.concat(parts)) } : {}
    const answer = await manager.call(request.method ?? 'GET', request.url ?? '/', { headers, ...body })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  manager = await createTestManager(server, { publicUrl: url })
})
afterAll(async () => {
  http.closeAllConnections()
  http.close()
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  project = `acme${count++}`
  const vendor = await manager.project(project)
  const ci = manager.client(await manager.machine('ci', { project }))
  admin = (await manager.person(`admin${count}`, { project, role: 'admin' })).token
  const release = await vendor.release({ version: '1.0.0', sequence: 1 })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  await ci.createRelease({ params: { project }, body: { envelope: release.envelope } })
  const body = { name: 'eu', platform: 'local' as const, setup: false, customer: { updates: 'approval' as const } }
  await manager.client(admin).createDeployment({ params: { project }, body })
  const made = await run(['portal', 'link', 'eu', '--days', '7', '--name', 'ann', '--json'], {
    LANDFALL_TOKEN: admin,
    LANDFALL_PROJECT: project,
  })
  expect(made.err).toBe('')
  link = JSON.parse(made.out).url
})

async function run(args: string[], environment: Record<string, string> = { LANDFALL_LINK: link }) {
  let out = ''
  let err = ''
  const code = await main(args, {
    environment: { HOME: directory, LANDFALL_URL: url, ...environment },
    directory,
    streams: { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
    signal: new AbortController().signal,
  })
  return { code, out, err }
}
const json = async (...args: string[]) => {
  const { out, err, code } = await run([...args, '--json'])
  return { code, value: JSON.parse(out || err) }
}
const tell = () =>
  manager.client(admin).updateDeployment({ params: { project, deployment: 'eu' }, body: { pin: '1.0.0' } })

describe('landfall portal', () => {
  it('goes from setup to approval, each step saying what comes next; 3 while something waits', async () => {
    const first = await run(['portal', 'show'])
    expect(first.code).toBe(3)
    expect(first.out).toContain('Nothing runs yet.')
    expect(first.out).toContain('→ landfall portal setup')
    expect((await run(['portal', 'approve'])).err).toContain('E_NOTHING_WAITS')
    const setup = await run(['portal', 'setup'])
    expect(setup.out).toContain('The storage "uploads" is set up (frozen).')
    expect(setup.out).toContain('The setup of 1.0.0 is applied.')
    expect((await run(['portal', 'show'])).out).toContain('→ landfall portal secret NAME=@FILE')
    writeFileSync(join(directory, 'key'), 'sk_hunter2')
    const secret = await run(['portal', 'secret', 'stripe-key=@key'])
    expect(secret).toMatchObject({ code: 0, err: '' })
    expect(secret.out).not.toContain('hunter2')
    expect((await run(['portal', 'show'])).code).toBe(0)
    await tell()
    const asked = await run(['portal', 'show'])
    expect(asked.code).toBe(3)
    expect(asked.out).toContain('Release 1.0.0 is to be installed. It waits for your approval.')
    const approved = await run(['portal', 'approve', '--message', 'go on'])
    expect(approved.code).toBe(0)
    expect(approved.out).toContain('Approved 1.0.0.')
    const page = await json('portal', 'show')
    expect(page).toMatchObject({ code: 0, value: { requests: [], answers: [{ status: 'pass', by: 'deployer:ann' }] } })
  })

  it('answers exactly the target that is named, and refuses another', async () => {
    await run(['portal', 'setup'])
    await run(['portal', 'secret', 'stripe-key=sk_1'])
    await tell()
    const { value } = await json('portal', 'show')
    const wrong = await json('portal', 'approve', '--target', `sha256:${'0'.repeat(64)}`)
    expect(wrong).toMatchObject({ code: 1, value: { error: { code: 'E_TARGET_CHANGED' } } })
    const refused = await json(
      'portal',
      'refuse',
      '--target',
      value.requests[0].target,
      '--message',
      'not before Easter',
    )
    expect(refused).toMatchObject({ code: 0, value: { status: 'fail', message: 'not before Easter' } })
  })

  it('changes the settings that are named, and takes windows', async () => {
    const window = 'FREQ=WEEKLY;BYDAY=SA,SU|2026-01-03T02:00|4h|Europe/Berlin'
    const changed = await json('portal', 'settings', '--updates', 'paused', '--window', window)
    expect(changed.value).toMatchObject({
      updates: 'paused',
      windows: [{ rrule: 'FREQ=WEEKLY;BYDAY=SA,SU', duration: '4h', timeZone: 'Europe/Berlin' }],
    })
    expect((await json('portal', 'settings', '--telemetry', 'off')).value).toEqual({
      ...changed.value,
      telemetry: 'off',
    })
    expect((await run(['portal', 'settings'])).out).toContain('updates    paused')
    const often = await json('portal', 'settings', '--window', 'FREQ=SECONDLY|2026-01-03T02:00|4h|UTC')
    expect(often).toMatchObject({ code: 1, value: { error: { code: 'E_WINDOW_INVALID' } } })
    expect((await run(['portal', 'settings', '--window', 'weekends'])).code).toBe(2)
    expect((await json('portal', 'settings', '--windows', 'none')).value.windows).toEqual([])
  })

  it('revokes, grants, and leaves only when it was confirmed', async () => {
    expect((await run(['portal', 'revoke'])).out).toContain('nothing is done in your environment')
    const unasked = await run(['portal', 'leave'])
    expect(unasked.code).toBe(2)
    expect(unasked.err).toContain('Nothing was done')
    const waits = await json('portal', 'leave', '--yes')
    expect(waits).toMatchObject({ code: 3, value: { waits: true } })
    expect((await run(['portal', 'grant'])).code).toBe(0)
    expect(await json('portal', 'leave', '--yes')).toMatchObject({ code: 0, value: { waits: false } })
  })

  it('takes the token of a link as well, and the vendor’s own for nothing', async () => {
    const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token') ?? ''
    expect((await run(['portal', 'settings'], { LANDFALL_TOKEN: token })).code).toBe(0)
    const vendors = await run(['portal', 'revoke'], { LANDFALL_TOKEN: admin, LANDFALL_PROJECT: project })
    expect(vendors.code).toBe(2)
    expect(vendors.err).toContain('landfall portal link')
    expect((await run(['portal', 'show', '--link', 'https://example.com/portal'])).err).toContain('not a portal link')
  })
})
