import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { debianPostgres, ensure } from '../../scripts/setup/system-packages.ts'
import { ManagersWorld } from '../harness/managers-world.ts'
import { StandbyPair } from '../harness/standby-pair.ts'
import { Users } from '../harness/users.ts'

let pair: StandbyPair | null = null
let world: ManagersWorld
let missing: string | null = null
beforeAll(async () => {
  missing = ensure([debianPostgres])[0] ?? null
  if (missing !== null) return
  pair = await StandbyPair.start()
  world = await ManagersWorld.start({ managers: 2, push: 2, pull: 1, database: pair.primary })
}, 300_000)
afterAll(async () => {
  await world?.stop()
  await pair?.stop()
}, 60_000)

describe('a synchronous standby', () => {
  it('is promoted in the middle of a rollout: no epoch is given twice, nothing acknowledged is lost', async ({
    skip,
  }) => {
    if (missing !== null && process.env.CI === 'true') throw new Error(missing)
    if (missing !== null || !pair) return skip(missing ?? '')
    const users = new Users(await world.userUrls())
    await world.release('1.1.0')
    await world.midRollout('1.1.0')
    pair.killPrimary()
    world.proxy.shut()
    const { claims, links } = world.proxy.acknowledged
    const before = { claims: [...claims], links: [...links] }
    expect(before.claims.length).toBeGreaterThan(0)
    expect(before.links.length).toBeGreaterThan(0)
    await sleep(2_000)
    await pair.promote()
    world.database = pair.standby
    // Read before any manager is let in: this is what the standby had.
    const rows = await world.witness.query<{ hash: string }>('select hash from audit_entries')
    const kept = new Set(rows.map(({ hash }) => hash))
    expect(before.links.filter((link) => !kept.has(link))).toEqual([])
    const epochs = await world.witness.query<{ id: string; epoch: string }>(
      'select id, lease_epoch as epoch from deployments',
    )
    for (const { id, epoch } of epochs) {
      const given = before.claims.filter(({ deployment }) => deployment === id).map((claim) => claim.epoch)
      expect(Number(epoch), id).toBeGreaterThanOrEqual(Math.max(0, ...given))
    }
    world.proxy.pointTo(pair.standby)
    world.proxy.open()
    await world.arrived('1.1.0')
    // Now that it has been gone on from there: over both servers, each epoch was handed to one owner once.
    await world.release('1.2.0')
    await world.arrived('1.2.0')
    const handed = claims.map(({ deployment, epoch }) => `${deployment} ${epoch}`)
    expect(handed.length).toBeGreaterThan(before.claims.length)
    expect(handed.filter((one, index) => handed.indexOf(one) !== index)).toEqual([])
    await users.leave()
    expect(users.failed).toEqual([])
    expect(await world.broken('1.2.0')).toEqual([])
  }, 240_000)
})
