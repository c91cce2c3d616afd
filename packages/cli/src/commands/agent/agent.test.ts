import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyExport } from '@landfall/release'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SiteWorld } from '../../../../agent/src/testing/site-world.ts'
import { main } from '../../main.ts'

let world: SiteWorld
beforeAll(async () => {
  world = await SiteWorld.create(Date.now())
  mkdirSync(world.vendor.path('home'), { recursive: true })
  writeFileSync(world.vendor.path('setup.json'), JSON.stringify(world.setup()))
})
afterAll(() => world[Symbol.asyncDispose]())

async function landfall(args: string[], signal = new AbortController().signal) {
  let out = ''
  let err = ''
  const code = await main(['agent', ...args], {
    environment: { HOME: world.vendor.path('home'), USER: 'ada' },
    directory: world.vendor.dir,
    streams: { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
    signal,
  })
  return { code, out, err, json: () => JSON.parse(out) }
}

/** Starts `agent run` in this process and waits until its API answers. */
async function running(args: string[]) {
  const stop = new AbortController()
  const ended = landfall(['run', ...args], stop.signal)
  const failed = ended.then(({ code, err }) => Promise.reject(new Error(`ended with ${code}: ${err}`)))
  failed.catch(() => {})
  const data = args[args.indexOf('--data') + 1] ?? ''
  const ready = async () => {
    while (!statSync(world.vendor.path(`${data}/agent.sock`), { throwIfNoEntry: false })) await sleep(20)
  }
  await Promise.race([ready(), failed])
  return {
    stop: async () => {
      stop.abort()
      return ended
    },
  }
}

describe('landfall agent', () => {
  it('leads a site without network from its setup to an export, and says 3 while a person is waited for', async () => {
    const made = await landfall(['init', '--setup', 'setup.json', '--data', 'site'])
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(made.out).toContain('acme asks to run as initech')
    expect(made.out).toContain('no network, bundles bring everything')
    expect(made.out).toMatch(/root key {5}[0-9a-f]{4}(-[0-9a-f]{4}){4}/)
    expect(made.out).not.toContain('lf_enrol_test')
    expect(statSync(world.vendor.path('site.key')).mode & 0o777).toBe(0o600)
    const again = await landfall(['init', '--setup', 'setup.json', '--data', 'site'])
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('E_AGENT_EXISTS')])

    const agent = await running(['--data', 'site'])
    const at = ['--data', 'site']
    expect(statSync(world.vendor.path('site/agent.sock')).mode & 0o777).toBe(0o660)
    expect((await landfall(['status', ...at])).out).toContain('No order has reached this site yet')
    expect(await landfall(['approve', ...at])).toMatchObject({
      code: 1,
      err: expect.stringContaining('E_NOTHING_WAITS'),
    })

    const bundle = await world.bundle(3)
    const imported = await landfall(['import', bundle.file, ...at, '--json'])
    expect(imported.json()).toMatchObject({ status: 'imported', releases: ['1.3.0'], generation: 3 })
    let status = await landfall(['status', ...at, '--json'])
    for (; status.code !== 3; status = await landfall(['status', ...at, '--json'])) await sleep(20)
    expect(status.json().waits).toMatchObject([
      { gate: 'update', version: '1.3.0', target: bundle.order.target?.digest },
    ])
    const explained = await landfall(['explain', ...at])
    expect(explained.code).toBe(3)
    expect(explained.out).toContain(`landfall agent approve --target ${bundle.order.target?.digest}`)
    expect((await landfall(['refuse', ...at, '--message', 'not on a Friday'])).code).toBe(0)

    const out = world.vendor.path('first.export')
    const exported = await landfall(['export', '--out', out, ...at, '--json'])
    expect(exported.json()).toMatchObject({ sequence: 1, size: statSync(out).size })
    const audit = (await landfall(['audit', ...at, '--json'])).out.trim().split('\n')
    const links = audit.map((line) => JSON.parse(line))
    expect(links.map((link) => link.type)).toEqual(
      expect.arrayContaining(['bundle.imported', 'order.taken', 'answer.given', 'export.made']),
    )
    expect(links.find((link) => link.type === 'answer.given').actor).toBe('ada (at the site, as given)')
    expect((await landfall(['audit', 'verify', ...at])).out).toContain(`${links.length} entries hold`)
    expect((await landfall(['export', '--forget', '1', ...at])).out).toContain('Exports up to 1 arrived')
    expect(await agent.stop()).toMatchObject({ code: 0 })
    expect((await landfall(['status', ...at])).err).toContain('E_AGENT_UNREACHABLE')
  })

  it('keeps what was set before a pause, and rotates its key', async () => {
    await landfall(['init', '--setup', 'setup.json', '--data', 'set'])
    const at = ['--data', 'set']
    const agent = await running(at)
    const json = async (...args: string[]) => (await landfall([...args, ...at, '--json'])).json()
    const window = 'FREQ=WEEKLY;BYDAY=SA|2026-01-03T02:00|4h|Europe/Berlin'
    expect(await json('settings', '--updates', 'approval', '--approvals', 'agent', '--window', window)).toMatchObject({
      updates: 'approval',
      windows: [{ rrule: 'FREQ=WEEKLY;BYDAY=SA', timeZone: 'Europe/Berlin' }],
    })
    expect(await json('pause')).toMatchObject({ updates: 'paused' })
    expect(await json('pause')).toMatchObject({ updates: 'paused' })
    expect(await json('resume')).toMatchObject({ updates: 'approval', approvals: 'agent' })
    expect(await json('revoke')).toMatchObject({ access: 'revoked' })
    expect(await json('grant')).toMatchObject({ access: 'granted' })
    expect(await json('settings', '--windows', 'none')).toMatchObject({ windows: [] })
    const bad = await landfall(['settings', '--window', 'FREQ=NEVER|2026-01-03T02:00|4h|Europe/Berlin', ...at])
    expect([bad.code, bad.err]).toEqual([1, expect.stringContaining('E_WINDOW_INVALID')])
    await agent.stop()

    const before = readFileSync(world.vendor.path('set.key'), 'utf8')
    expect((await landfall(['rotate-key', ...at])).code).toBe(0)
    expect(readFileSync(world.vendor.path('set.key'), 'utf8')).not.toBe(before)
    writeFileSync(world.vendor.path('old.key'), before, { mode: 0o600 })
    expect((await landfall(['run', ...at, '--key-file', 'old.key'])).err).toContain('E_AGENT_KEY_WRONG')
    const after = await running(at)
    expect((await json('settings')).approvals).toBe('agent')
    await after.stop()
  })

  it('proves its exports by the key that its enrolment names', async () => {
    await landfall(['init', '--setup', 'setup.json', '--data', 'key'])
    const agent = await running(['--data', 'key'])
    const file = world.vendor.path('key.export')
    await landfall(['export', '--out', file, '--data', 'key'])
    await agent.stop()
    const { publicKeyFrom, readEnrolment } = await import('@landfall/release')
    const enrolment = (await readEnrolment(file)) as { keys: { sign: string }; deployment: string }
    expect(enrolment.deployment).toBe(world.vendor.deployment)
    const proved = await verifyExport(file, {
      agent: publicKeyFrom(enrolment.keys.sign),
      project: 'acme',
      deployment: world.vendor.deployment,
      lastSequence: 0,
    })
    expect(proved.manifest.files.map((one) => one.kind)).toEqual(['audit-checkpoint', 'enrolment', 'status'])
  })
})
