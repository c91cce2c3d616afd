import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { createSigningKey, type SigningKey } from '@landfall/release'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Agent } from '../agent.ts'
import { SiteWorld, until } from '../testing/site-world.ts'

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

/** Everything that an import could change, as the agent says it. */
async function whole(agent: Agent) {
  const { order, observed, state, bundles, waits, exported, commands } = await agent.status()
  const { links } = await agent.audit(0, 500)
  return JSON.stringify({ order, observed, state, bundles, waits, exported, commands, links })
}

describe('an import at the site', () => {
  it('brings release, order and keys, asks for an approval, and is the same when given again', async () => {
    const directory = world.vendor.path('plain')
    const agent = await world.start(directory)
    const made = await world.bundle(3)
    let told = 0
    const result = await agent.importBundle(made.file, {
      by: 'ada',
      onProgress: (done, total) => (told = done / total),
    })
    expect(result).toMatchObject({ status: 'imported', bundle: made.id, releases: ['1.3.0'], generation: 3 })
    expect(told).toBe(1)
    const status = await until(
      () => agent.status(),
      ({ waits }) => waits.length > 0,
    )
    expect(status.waits).toMatchObject([{ gate: 'update', target: made.order.target?.digest, version: '1.3.0' }])
    expect(status.bundles).toMatchObject([{ bundle: made.id, releases: ['1.3.0'] }])
    expect((await agent.audit(0, 100)).links.find((link) => link.type === 'bundle.imported')).toMatchObject({
      actor: 'ada',
      message: expect.stringContaining('release 1.3.0, order 3'),
    })
    const before = await whole(agent)
    expect(await agent.importBundle(made.file)).toMatchObject({ status: 'already', releases: ['1.3.0'] })
    expect(await whole(agent)).toBe(before)
    expect((await agent.verifyAudit()).ok).toBe(true)
  })

  it('lets an approval in for the target that waits alone: replayed for another one it is refused, and moves nothing', async () => {
    const agent = await world.start(world.vendor.path('approval'))
    const [first, second] = [await world.bundle(3), await world.bundle(4)]
    await agent.importBundle(first.file)
    await until(
      () => agent.status(),
      ({ waits }) => waits.length > 0,
    )
    await agent.importBundle(second.file)
    const waits = await until(
      () => agent.status(),
      (status) => status.waits[0]?.version === '1.4.0',
    )
    const answer = { gate: 'update', status: 'pass', by: 'ada' } as const
    const old = first.order.target?.digest ?? ''
    expect(await codeOf(agent.answer({ ...answer, target: old }))).toBe('E_NOTHING_WAITS')
    expect(await codeOf(agent.answer({ ...answer, target: `sha256:${'0'.repeat(64)}` }))).toBe('E_NOTHING_WAITS')
    expect((await agent.status()).waits).toEqual(waits.waits)
    // Given for the second, it holds for the second alone.
    await agent.answer({ ...answer, status: 'fail', target: waits.waits[0]?.target ?? '' })
    const third = await world.bundle(5)
    await agent.importBundle(third.file)
    const status = await until(
      () => agent.status(),
      (now) => now.waits[0]?.version === '1.5.0',
    )
    expect(status.state?.stable).toBeNull()
  })

  it('applies nothing of a bundle that was changed anywhere, cut anywhere, or is not for it', async () => {
    const agent = await world.start(world.vendor.path('hostile'))
    await agent.importBundle((await world.bundle(5)).file)
    await until(
      () => agent.status(),
      ({ waits }) => waits.length > 0,
    )
    const before = await whole(agent)
    const good = await world.bundle(6)
    const copy = world.vendor.path('changed.bundle')
    const bytes = await readFile(good.file)
    const refused = async (file: string, codes: RegExp, what: string) => {
      expect(await codeOf(agent.importBundle(file, { by: 'eve' })), what).toMatch(codes)
      expect(await whole(agent), what).toBe(before)
    }
    for (let at = 0; at < bytes.length; at += 997) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      await writeFile(copy, changed)
      await refused(copy, /^E_/, `byte ${at}`)
    }
    for (let end = 0; end < bytes.length; end += 512 * 3) {
      await copyFile(good.file, copy)
      await truncate(copy, end)
      await refused(copy, /^E_(ARCHIVE|BUNDLE)_/, `cut at ${end}`)
    }
    const thief = createSigningKey('vendor')
    const cases: [RegExp, () => Promise<{ file: string }>][] = [
      [/^E_BUNDLE_DEPLOYMENT$/, () => world.bundle(7, { deployment: 'dep-acme' })],
      [/^E_BUNDLE_EXPIRED$/, () => world.bundle(7, { expiresAt: Date.parse('2026-11-20T00:00:00Z') })],
      [
        /^E_ORDER_DEPLOYMENT$/,
        () => world.bundle(7, { order: { deployment: { ...world.deployment(), id: 'dep-acme' } } }),
      ],
      [
        /^E_ORDER_DEPLOYMENT$/,
        () => world.bundle(7, { order: { deployment: { ...world.deployment(), environment: {} } } }),
      ],
      [/^E_ORDER_INVALID$/, () => world.bundle(7, { order: { config: null } })],
      [/^E_KEY_UNKNOWN$/, () => resigned(good.file, thief)],
      [/^E_BUNDLE_PROJECT$/, () => resigned(good.file, world.vendor.vendor, { project: 'other' })],
    ]
    for (const [codes, made] of cases) await refused((await made()).file, codes, String(codes))
    await refused(world.vendor.path('absent.bundle'), /^E_BUNDLE_NOT_FOUND$/, 'absent')
    // It was the file that was wrong, not the site.
    expect(await agent.importBundle(good.file)).toMatchObject({ status: 'imported', generation: 6 })
  })
})

async function resigned(file: string, signer: SigningKey, change = {}) {
  return { file: await world.vendor.resigned(file, change, signer) }
}
