import { customerSettings } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hello } from '../../../platforms/local/src/testing/sources.ts'
import { SiteWorld, until } from '../testing/site-world.ts'

let world: SiteWorld
beforeAll(async () => {
  world = await SiteWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

const customer = customerSettings.parse({ updates: 'automatic' })

/** A release that runs: its worker answers with its version. */
const running = (sequence: number) =>
  world.vendor.release({
    version: `1.${sequence}.0`,
    sequence,
    workers: { api: Buffer.from(hello(`1.${sequence}.0`)) },
  })

describe('a release that is older than what runs', () => {
  it('is refused by the import, let in on demand, and taken by the engine in no case', async () => {
    const agent = await world.start(world.vendor.path('agent'), { setup: world.setup(customer) })
    const current = await world.bundle(5, { release: await running(5), order: { customer } })
    await agent.importBundle(current.file)
    const rests = await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running' || state?.phase === 'failed',
    )
    expect(rests.state).toMatchObject({ phase: 'running', sequence: 5 })

    const old = await running(4)
    const before = await agent.status()
    const links = (await agent.audit(0, 500)).links.length
    const older = await world.bundle(4, { release: old, order: { customer, generation: 6 } })
    await expect(agent.importBundle(older.file)).rejects.toMatchObject({ code: 'E_SEQUENCE_OLDER' })
    const after = await agent.status()
    expect([after.order, after.bundles, after.state?.stable]).toEqual([
      before.order,
      before.bundles,
      before.state?.stable,
    ])
    expect((await agent.audit(0, 500)).links).toHaveLength(links)

    expect(await agent.importBundle(older.file, { allowOlder: true })).toMatchObject({
      status: 'imported',
      generation: 6,
    })
    const held = await until(
      () => agent.status(),
      ({ observed }) => observed === 6,
    )
    expect(held.state?.stable?.digest).toBe(current.order.target?.digest)
    expect(held.explanation?.onTarget).toBe(false)
    expect(held.state?.workers.api?.stable).toBe(rests.state?.workers.api?.stable)

    const last = await world.bundle(7, { release: await running(7), order: { customer, operation: 'destroy' } })
    await agent.importBundle(last.file)
    await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'deleted',
    )
    await agent.stop()
  }, 120_000)
})
