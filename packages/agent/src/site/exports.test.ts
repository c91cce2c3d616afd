import { report } from '@landfall/contract'
import { createSigningKey, publicKeyFrom, readEnrolment, readExport, verifyExport } from '@landfall/release'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { day, now } from '../../../release/src/testing/fixtures.ts'
import type { Agent } from '../agent.ts'
import { fixtureClock, SiteWorld, until } from '../testing/site-world.ts'

let world: SiteWorld
beforeAll(async () => {
  world = await SiteWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error.code,
  )

/** An export as the vendor's side takes it. */
async function taken(file: string) {
  const enrolment = (await readEnrolment(file)) as { keys: { sign: string } } | null
  return { enrolment, ...(enrolment ? await contents(file, enrolment.keys.sign) : {}) }
}

async function contents(file: string, key: string) {
  const site = { agent: publicKeyFrom(key), project: 'acme', deployment: world.vendor.deployment, lastSequence: 0 }
  const { manifest, receipts } = await verifyExport(file, site)
  const reports = []
  const telemetry: Record<string, string[]> = {}
  for await (const { file: entry, content } of readExport(file, site)) {
    const parts = []
    for await (const chunk of content) parts.push(chunk)
    const text = Buffer.concat(parts).toString('utf8')
    if (entry.kind === 'status') reports.push(report.parse(JSON.parse(text)))
    if (entry.kind.startsWith('telemetry-')) telemetry[entry.kind] = text.trimEnd().split('\n')
  }
  return { manifest, receipts, reports, telemetry }
}

const exported = async (agent: Agent, name: string) => {
  const file = world.vendor.path(name)
  return { ...(await agent.exportTo(file, 'ada')), file }
}

describe('what a site hands back', () => {
  it('holds enrolment, receipts, reports and audit until an order says that it arrived', async () => {
    const agent = await world.start(world.vendor.path('hand-back'))
    const bundle = await world.bundle(3)
    await agent.importBundle(bundle.file)
    await until(
      () => agent.status(),
      ({ waits }) => waits.length > 0,
    )
    const first = await exported(agent, 'first.export')
    expect(first.sequence).toBe(1)
    const one = await taken(first.file)
    const key = one.enrolment?.keys.sign ?? ''
    expect(one.receipts).toMatchObject([{ bundle: bundle.id, releases: [{ version: '1.3.0' }] }])
    expect(one.reports).toHaveLength(1)
    const links = one.reports?.[0]?.audit ?? []
    expect(links[0]?.number).toBe(1)
    expect(links.at(-1)).toMatchObject({ type: 'export.made', actor: 'ada' })

    // Nobody has said that the first arrived: all of it is in the second again, under the next numbers.
    const two = await taken((await exported(agent, 'second.export')).file)
    expect(two.manifest?.sequence).toBe(2)
    expect(two.receipts).toHaveLength(1)
    expect(two.reports?.[0]?.audit[0]?.number).toBe(1)
    expect(two.reports?.[0]?.number).toBeGreaterThan(one.reports?.[0]?.number ?? 0)

    await agent.importBundle((await world.bundle(4, { order: { confirmed: 1 } })).file)
    const third = await exported(agent, 'third.export')
    const three = { enrolment: await readEnrolment(third.file), ...(await contents(third.file, key)) }
    expect(three.enrolment).toBeNull()
    expect(three.receipts).toMatchObject([{ releases: [{ version: '1.4.0' }] }])
    expect(three.reports[0]?.audit[0]?.number).toBe((links.at(-1)?.number ?? 0) + 1)
    expect((await agent.status()).enrolled).toBe(true)
    await agent.stop()
  })

  it('uses no number twice, also not when an export fails or the agent starts again', async () => {
    const directory = world.vendor.path('numbers')
    const agent = await world.start(directory)
    await expect(agent.exportTo(world.vendor.path('no/such/place.export'))).rejects.toThrow()
    expect((await exported(agent, 'n2.export')).sequence).toBe(2)
    await agent.stop()
    const again = await world.start(directory)
    expect((await exported(again, 'n3.export')).sequence).toBe(3)
    expect(await again.confirmExports(3, 'ada')).toEqual({ forgotten: 0 })
    expect(await again.confirmExports(3, 'ada')).toEqual({ forgotten: 0 })
    const { links } = await again.audit(0, 500)
    expect(links.filter((link) => link.type === 'export.confirmed')).toHaveLength(1)
    await again.stop()
  })
})

describe('a signed command at the site', () => {
  it('is taken once; replayed, expired, too early, foreign or by another key it is refused and leaves nothing', async () => {
    const directory = world.vendor.path('commands')
    const agent = await world.start(directory)
    await agent.importBundle((await world.bundle(3)).file)
    const text = JSON.stringify(await world.vendor.command({ id: 'cmd-once' }))
    expect(await agent.command(text, 'ada')).toEqual({ id: 'cmd-once' })
    const before = (await agent.status()).commands.length
    const given = async (change: Parameters<typeof world.vendor.command>[0]) =>
      codeOf(agent.command(JSON.stringify(await world.vendor.command(change))))
    expect(await codeOf(agent.command(text))).toBe('E_COMMAND_REPLAYED')
    expect(await given({ id: 'late', expiresAt: now + 1 })).toBe('E_COMMAND_EXPIRED')
    expect(await given({ id: 'foreign', deployment: 'dep-acme' })).toBe('E_COMMAND_DEPLOYMENT')
    expect(await given({ id: 'thief', signer: createSigningKey('vendor') })).toBe('E_KEY_UNKNOWN')
    expect(await codeOf(agent.command('{"payload":"x"}'))).toBe('E_ENVELOPE_INVALID')
    expect((await agent.status()).commands.length).toBe(before)
    await agent.stop()
    const again = await world.start(directory)
    expect(await codeOf(again.command(text))).toBe('E_COMMAND_REPLAYED')
    await again.stop()
  })

  it('is refused with clear words where the clock is off by a day, either way', async () => {
    const directory = world.vendor.path('clock')
    const command = JSON.stringify(await world.vendor.command({ id: 'day', expiresAt: now + day / 2 }))
    const first = await world.start(directory)
    await first.importBundle((await world.bundle(3)).file)
    await first.stop()
    for (const [offset, code] of [
      [day, 'E_COMMAND_EXPIRED'],
      [-day, 'E_COMMAND_EARLY'],
    ] as const) {
      const agent = await world.start(directory, { clock: fixtureClock(offset) })
      await expect(agent.command(command)).rejects.toMatchObject({ code, hint: expect.stringContaining('clock') })
      await agent.stop()
    }
    const right = await world.start(directory)
    expect(await right.command(command)).toEqual({ id: 'day' })
    await right.stop()
  })

  it('in a bundle that came too late or twice is left out, and the rest is taken', async () => {
    const agent = await world.start(world.vendor.path('bundle-commands'))
    const once = await world.vendor.command({ id: 'once' })
    const late = await world.vendor.command({ id: 'late', expiresAt: now + 10 })
    const first = await agent.importBundle((await world.bundle(3, { commands: [once, late] })).file)
    expect(first).toMatchObject({ commands: ['once'], refusedCommands: [{ id: 'late', code: 'E_COMMAND_EXPIRED' }] })
    const second = await agent.importBundle((await world.bundle(4, { commands: [once] })).file)
    expect(second).toMatchObject({
      status: 'imported',
      generation: 4,
      commands: [],
      refusedCommands: [{ id: 'once', code: 'E_COMMAND_REPLAYED' }],
    })
    await agent.stop()
  })
})
