import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../harness/agent-world.ts'
import type { ManagerProcess } from '../../harness/manager-process.ts'
import type { ManagersWorld } from '../../harness/managers-world.ts'
import { overtaken } from '../../harness/witness.ts'
import { between, claimAbove, pick, type Scenario } from './scenario.ts'

const isBack = (world: ManagersWorld, { port }: ManagerProcess) =>
  until(
    async () => world.balancer.ready,
    (ready) => ready.includes(port),
  )

/** One of them, whatever it does at that moment, ends by SIGKILL, and is started again later. */
const killed: Scenario = {
  name: 'killed',
  repeats: true,
  async act({ world, version, chance, say }) {
    await world.release(version)
    const victim = pick(chance, world.managers)
    const after = between(chance, 0, 9_000)
    const before = (await world.witness.writes()).length
    await sleep(after)
    const { pid } = victim
    await victim.kill()
    say(`${victim.name} (process ${pid}) is killed ${after} ms after the release`)
    await world.arrived(version)
    await victim.start()
    await isBack(world, victim)
    const since = (await world.witness.writes()).slice(before)
    return since.some(({ kind }) => kind === 'claim') ? [] : ['nobody claimed anything']
  },
}

/** The one that holds a lease in the middle stands still until that has passed on. */
const frozen: Scenario = {
  name: 'frozen',
  repeats: true,
  async act({ world, version, chance, say }) {
    await world.release(version)
    const { manager, deployment, epoch } = await world.midRollout(version)
    const after = between(chance, 0, 1_500)
    await sleep(after)
    manager.freeze()
    // It may have given this one up meanwhile: then it is due to another all the same, or was done.
    const rests = world.arrived(version).then(() => undefined)
    const claim = await Promise.race([claimAbove(world.witness, deployment, epoch), rests])
    const wake = between(chance, 0, 5_000)
    await sleep(wake)
    const wokenAt = Date.now()
    manager.wake()
    say(
      `${manager.name} stood still ${after} ms after it was seen to hold; woken ${wake} ms after ${claim?.writer} had it`,
    )
    await rests
    await isBack(world, manager)
    const late = (await world.witness.writes()).filter(
      (one) => one.writer === manager.name && one.at.getTime() >= wokenAt && one.deployment === deployment,
    )
    if (!claim || claim.writer === manager.name) return []
    return late
      .filter((one) => one.epoch < claim.epoch)
      .map((one) => `written under epoch ${one.epoch} after ${claim.epoch}`)
  },
}

/** One after the other, as an operator brings a new version, while the fleet is brought one too. */
const restarted: Scenario = {
  name: 'rolling-restart',
  repeats: true,
  async act({ world, version, chance, say }) {
    await world.release(version)
    const before = (await world.witness.writes()).length
    const wrong: string[] = []
    const order = world.managers.toSorted((one, other) => (one.name < other.name ? -1 : 1))
    for (let left = [...order]; left.length > 0; ) {
      const manager = pick(chance, left)
      left = left.filter((one) => one !== manager)
      const after = between(chance, 0, 3_000)
      await sleep(after)
      const code = await manager.stop()
      if (code !== 0) wrong.push(`${manager.name} ended with ${code}`)
      await manager.start()
      await isBack(world, manager)
      say(`${manager.name} was restarted after ${after} ms`)
    }
    await world.arrived(version)
    const since = (await world.witness.writes()).slice(before)
    return [...wrong, ...overtaken(since).map((one) => `${one.deployment}: a lease was left to run out`)]
  },
}

export const ofProcesses: readonly Scenario[] = [killed, frozen, restarted]
