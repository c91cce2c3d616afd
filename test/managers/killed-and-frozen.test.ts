import { readFile } from 'node:fs/promises'
import { startTestServer, type TestServer } from '@landfall/manager/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../harness/agent-world.ts'
import { ManagersWorld } from '../harness/managers-world.ts'
import { Users } from '../harness/users.ts'

let server: TestServer
let world: ManagersWorld
beforeAll(async () => {
  server = await startTestServer()
  const { url } = await server.empty()
  world = await ManagersWorld.start({ managers: 3, push: 3, pull: 1, airgapped: 1, database: url })
}, 400_000)
afterAll(async () => {
  await world?.stop()
  await server?.stop()
}, 60_000)

describe('three managers', () => {
  it('one is killed in the middle of a rollout: the others take over what it held, nothing is done twice', async () => {
    const users = new Users(await world.userUrls())
    await world.release('1.1.0')
    const { manager, deployment, epoch } = await world.midRollout('1.1.0')
    await manager.kill()
    await world.arrived('1.1.0')
    await users.leave()
    expect(users.failed).toEqual([])
    expect(users.answers).toBeGreaterThan(0)
    // It held the lease when it died, so somebody else has claimed it since.
    const after = (await world.witness.writes()).filter(
      (write) => write.deployment === deployment && write.epoch > epoch,
    )
    expect(after[0]).toMatchObject({ kind: 'claim', epoch: epoch + 1 })
    expect(after.map(({ writer }) => writer)).not.toContain(manager.name)
    expect(await world.broken('1.1.0')).toEqual([])
    await manager.start()
  }, 400_000)

  it('a bundle is made by one, what the site hands back is taken by another; the third has it already', async () => {
    const [from, to, again] = world.managers.map((manager) => world.clientOf(manager))
    if (!from || !to || !again) throw new Error('three were started')
    await world.carry('1.1.0', { from, to: [to, again] })
    expect(await world.broken('1.1.0')).toEqual([])
  }, 400_000)

  it('one is frozen until its leases have passed on, then woken: nothing it still writes is accepted', async () => {
    const users = new Users(await world.userUrls())
    await world.release('1.2.0')
    const { manager, deployment, epoch } = await world.midRollout('1.2.0')
    manager.freeze()
    const claimed = async () => {
      const writes = await world.witness.writes()
      return writes.find((write) => write.deployment === deployment && write.kind === 'claim' && write.epoch > epoch)
    }
    const passedOn = await until(claimed, (write) => write !== undefined)
    expect(passedOn?.writer).not.toBe(manager.name)
    const wokenAt = Date.now()
    manager.wake()
    await world.arrived('1.2.0')
    await users.leave()
    expect(users.failed).toEqual([])
    const writes = await world.witness.writes()
    // Its session ended without a trace: what it wrote since, it wrote under leases that it took after it woke.
    const late = writes.filter((write) => write.writer === manager.name && write.at.getTime() >= wokenAt)
    expect(late.filter((write) => write.deployment === deployment && write.epoch <= epoch)).toEqual([])
    await until(
      () => endedEarly(manager),
      (ended) => ended,
    )
    expect(await world.broken('1.2.0')).toEqual([])
    // It is one of them again.
    await until(
      async () => world.balancer.ready,
      (ready) => ready.includes(manager.port),
    )
  }, 400_000)
})

/**
 * Whether a run of this manager ended because the lease was held by another; or, where it was frozen in the middle of a transaction, because
 * the database had ended that meanwhile.
 */
async function endedEarly({ url, log }: { url: string; log: string }): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lost = Number(/^landfall_engine_runs_total\{ended="lost"\} (\d+)$/m.exec(text)?.[1] ?? 0)
  return lost > 0 || (await readFile(log, 'utf8')).includes('a run ended early')
}
