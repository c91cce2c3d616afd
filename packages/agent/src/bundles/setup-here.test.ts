import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SiteWorld, until } from '../testing/site-world.ts'

let world: SiteWorld
beforeAll(async () => {
  world = await SiteWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

describe('a setup where approvals count at the agent', () => {
  it('is not carried out by the word of an order; it is shown, and one approval here lets it in', async () => {
    const setup = world.setup({ approvals: 'agent' })
    const agent = await world.start(world.vendor.path('automatic'), { setup })
    const made = await world.bundle(3)
    const release = made.order.target?.release ?? ''
    await agent.importBundle(made.file)
    const status = await until(
      () => agent.status(),
      ({ waits }) => waits.some(({ gate }) => gate === 'setup' || gate === 'update'),
    )
    expect(status.state).toMatchObject({ setup: null, resources: {}, stable: null, candidate: null })
    // The order asked for approvals by itself: one answer lets in update and setup, which are of one release.
    expect(status.waits).toMatchObject([{ gate: 'update', target: made.order.target?.digest, version: '1.3.0' }])
    expect(status.waits[0]?.difference).toContainEqual(expect.objectContaining({ area: 'setup' }))
    const wrong = { gate: 'setup', target: `sha256:${'0'.repeat(64)}`, status: 'pass' as const, by: 'ada' }
    await expect(agent.answer(wrong)).rejects.toMatchObject({ code: 'E_NOTHING_WAITS' })
    await agent.answer({ gate: 'update', target: status.waits[0]?.target ?? '', status: 'pass', by: 'ada' })
    const after = await until(
      () => agent.status(),
      ({ state }) => state?.setup != null,
    )
    expect(after.state?.setup).toBe(release)
    expect(after.waits.filter(({ gate }) => gate === 'setup')).toEqual([])
  })

  it('waits by itself where updates are automatic', async () => {
    const setup = world.setup({ approvals: 'agent' })
    const agent = await world.start(world.vendor.path('setup'), { setup })
    const customer = { ...setup.customer, updates: 'automatic' as const, approvals: 'portal' as const }
    const made = await world.bundle(3, { order: { customer } })
    const release = made.order.target?.release ?? ''
    await agent.importBundle(made.file)
    const status = await until(
      () => agent.status(),
      ({ waits }) => waits.length > 0,
    )
    expect(status.waits).toMatchObject([{ gate: 'setup', target: release, version: '1.3.0' }])
    expect(status.explanation?.waitsFor.map(({ code }) => code)).toContain('NEEDS_SETUP')
    await agent.answer({ gate: 'setup', target: release, status: 'pass', by: 'ada' })
    await until(
      () => agent.status(),
      ({ state }) => state?.setup === release,
    )
  })
})
