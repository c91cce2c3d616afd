import { setTimeout as sleep } from 'node:timers/promises'
import { allAre, between, type Run, type Scenario } from './scenario.ts'

const unready = { health: 200, ready: 503 }
const ready = { health: 200, ready: 200 }
const minute = 60_000

/** Releases, and lets some of the rollout go by; answers how much, in milliseconds. */
async function releaseAndWait({ world, version, chance }: Run): Promise<number> {
  await world.release(version)
  const after = between(chance, 0, 8_000)
  await sleep(after)
  return after
}

const away: Scenario = {
  name: 'database-away',
  repeats: false,
  async act(run) {
    const { world, version, say } = run
    const after = await releaseAndWait(run)
    world.proxy.shut()
    say(`the database is away ${after} ms after the release, for a minute`)
    await allAre(world, unready)
    await sleep(minute)
    world.proxy.open()
    await world.arrived(version)
    return []
  },
}

const silent: Scenario = {
  name: 'database-silent',
  repeats: false,
  async act(run) {
    const { world, version, say } = run
    const after = await releaseAndWait(run)
    world.proxy.fallSilent()
    say(`the network to the database swallows all ${after} ms after the release, for 90 s`)
    await allAre(world, unready)
    await sleep(1.5 * minute)
    world.proxy.speak()
    await allAre(world, ready)
    await world.arrived(version)
    return []
  },
}

const full: Scenario = {
  name: 'out-of-connections',
  repeats: false,
  async act(run) {
    const { world, version, say } = run
    const { witness, role, managers } = world
    const after = await releaseAndWait(run)
    await witness.query(`alter role ${role} connection limit 0`)
    await witness.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role])
    say(`no connection is left ${after} ms after the release, for a minute; then one for each manager, for a minute`)
    await allAre(world, unready)
    await sleep(minute)
    // Far below what they want: they share them by turns, or wait.
    await witness.query(`alter role ${role} connection limit ${managers.length}`)
    await sleep(minute)
    await witness.query(`alter role ${role} connection limit -1`)
    await allAre(world, ready)
    await world.arrived(version)
    return []
  },
}

const slow: Scenario = {
  name: 'database-slow',
  repeats: false,
  async act({ world, version, say }) {
    world.proxy.slow(100)
    say('every query takes 200 ms longer')
    await world.release(version)
    await allAre(world, ready)
    await world.arrived(version)
    world.proxy.slow(0)
    return []
  },
}

export const ofDatabase: readonly Scenario[] = [away, silent, full, slow]
