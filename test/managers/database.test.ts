import { setTimeout as sleep } from 'node:timers/promises'
import { startTestServer, type TestServer } from '@landfall/manager/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../harness/agent-world.ts'
import { ManagersWorld } from '../harness/managers-world.ts'
import { readyOf } from '../harness/ready-of.ts'
import { Users } from '../harness/users.ts'

/** Longer than a lease; `npm run managers` takes a whole minute. */
const awayMs = 17_000

let server: TestServer
let world: ManagersWorld
let users: Users
beforeAll(async () => {
  server = await startTestServer()
  world = await ManagersWorld.start({ managers: 2, push: 2, pull: 1, database: (await server.empty()).url })
}, 400_000)
afterAll(async () => {
  await world?.stop()
  await server?.stop()
}, 60_000)
beforeEach(async () => {
  users = new Users(await world.userUrls())
})
afterEach(async () => {
  await users.leave()
})

const all = (holds: object) =>
  until(
    () => Promise.all(world.managers.map(({ url }) => readyOf(url))),
    (said) => {
      return said.every((one) => JSON.stringify({ ...one, ...holds }) === JSON.stringify(one))
    },
  )
const unready = { health: 200, ready: 503, code: 'E_NOT_READY' }
const ready = { health: 200, ready: 200 }

/** All went on by itself; nobody who uses a worker noticed. */
async function wentOn(version: string): Promise<void> {
  await world.arrived(version)
  await users.leave()
  expect(users.failed).toEqual([])
  expect(users.answers).toBeGreaterThan(0)
  expect(await world.broken(version)).toEqual([])
  await all(ready)
}

describe('the database of two managers, in the middle of a rollout,', () => {
  it('is away for longer than a lease', async () => {
    await world.release('1.1.0')
    await world.midRollout('1.1.0')
    world.proxy.shut()
    await all(unready)
    const told = Date.now() + awayMs
    while (Date.now() < told) {
      expect(
        (await Promise.all(world.managers.map(({ url }) => readyOf(url)))).map(({ ready }) => ready),
      ).not.toContain(200)
      await sleep(1_000)
    }
    world.proxy.open()
    await wentOn('1.1.0')
  }, 240_000)

  it('swallows all that is sent, then has no connections left', async () => {
    await world.release('1.2.0')
    await world.midRollout('1.2.0')
    world.proxy.fallSilent()
    await all(unready)
    await sleep(3_000)
    world.proxy.speak()
    await all(ready)
    await world.witness.query(`alter role ${world.role} connection limit 0`)
    await world.witness.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [world.role])
    await all(unready)
    await sleep(3_000)
    // One each is far below what they want: they share it by turns, or wait.
    await world.witness.query(`alter role ${world.role} connection limit 2`)
    await sleep(5_000)
    await world.witness.query(`alter role ${world.role} connection limit -1`)
    await wentOn('1.2.0')
  }, 240_000)

  it('is slow', async () => {
    world.proxy.slow(25)
    await world.release('1.3.0')
    await world.midRollout('1.3.0')
    await all(ready)
    await wentOn('1.3.0')
    world.proxy.slow(0)
  }, 240_000)
})
