import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@landfall/contract'
import { startTestServer, type TestServer } from '@landfall/manager/testing'
import { LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../harness/agent-world.ts'
import { ManagersWorld, project } from '../harness/managers-world.ts'
import { Users } from '../harness/users.ts'
import { overtaken } from '../harness/witness.ts'

let server: TestServer
let world: ManagersWorld
beforeAll(async () => {
  server = await startTestServer()
  world = await ManagersWorld.start({ managers: 3, push: 3, pull: 1, database: (await server.empty()).url })
}, 400_000)
afterAll(async () => {
  await world?.stop()
  await server?.stop()
}, 60_000)

describe('a rolling restart of three managers', () => {
  it('during a rollout of the fleet: no request fails, of the vendor or of a user', async () => {
    const users = new Users(await world.userUrls())
    const vendor = new Vendor()
    await world.release('1.1.0')
    await world.midRollout('1.1.0')
    for (const manager of world.managers) {
      expect(await manager.stop()).toBe(0)
      await manager.start()
      await until(
        async () => world.balancer.ready,
        (ready) => ready.includes(manager.port),
      )
    }
    await world.arrived('1.1.0')
    await vendor.leave()
    await users.leave()
    expect(users.failed).toEqual([])
    expect(vendor.failed).toEqual([])
    expect(vendor.made.length).toBeGreaterThan(0)
    // A change whose connection was cut was sent again with its key: it is there once.
    const { items } = await world.client.listOwnTokens({})
    const names = items.map(({ name }) => name).filter((name) => name.startsWith('made-'))
    expect(names.sort()).toEqual(vendor.made.toSorted())
    // Each gave its leases up as it ended, instead of letting them run out.
    expect(overtaken(await world.witness.writes())).toEqual([])
    expect(await world.broken('1.1.0')).toEqual([])
  }, 180_000)
})

/** The vendor's tools: they read and change without a pause, and send again what a cut connection left open. */
class Vendor {
  readonly failed: string[] = []
  readonly made: string[] = []
  cuts = 0
  readonly #gone = new AbortController()
  readonly #all: Promise<void>[]

  constructor() {
    const client = createClient({ url: world.balancer.url, token: world.token })
    this.#all = [
      this.#again(() => client.listDeployments({ params: { project } })),
      this.#again(async (number, idempotencyKey) => {
        const name = `made-${number}`
        await client.createOwnToken({ body: { name } }, { idempotencyKey })
        this.made.push(name)
      }),
    ]
  }

  async leave(): Promise<void> {
    this.#gone.abort()
    await Promise.all(this.#all)
  }

  async #again(call: (number: number, key: string) => Promise<unknown>): Promise<void> {
    for (let number = 0; !this.#gone.signal.aborted; number++) {
      const key = crypto.randomUUID()
      for (let done = false; !done; ) {
        done = await call(number, key).then(
          () => true,
          (error: unknown) => {
            if (!LandfallError.is(error, 'E_UNREACHABLE')) this.failed.push(String(error))
            else this.cuts += 1
            return !LandfallError.is(error, 'E_UNREACHABLE')
          },
        )
        await sleep(50)
      }
    }
  }
}
