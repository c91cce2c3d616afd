/**
 * Rows that one deployment's update writes, by table, from PostgreSQL's own counters: pushed by the manager's runner (engine and store
 * real, its platform in memory), and pulled by a real agent with its real local platform. From the order to the end of the update.
 *
 *   node bench/rows-per-update.ts [deployments that are pushed to, default 20]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestServer } from '@landfall/manager/testing'
import { plan, testFleet } from '../packages/manager/src/control/testing/fleet.ts'
import { openDatabase } from '../packages/manager/src/store/database.ts'
import { AgentWorld, until } from '../test/harness/agent-world.ts'
import { type Figure, report } from './shared/report.ts'
import { type RowCounts, readRows, written } from './shared/rows-written.ts'

const deployments = Math.max(1, Number(process.argv[2] ?? 20))
/** A connection that rests tells what it wrote after 10 s at the latest (PGSTAT_IDLE_INTERVAL). */
const countedMs = 11_000

const push = await pushed()
const pull = await pulled()
const figures = (name: string, { rows, walBytes }: RowCounts): Figure[] => [
  {
    what: `${name}: rows written`,
    measured: Object.values(rows).reduce((sum, count) => sum + count, 0),
    unit: 'rows',
    target: '',
    met: null,
  },
  { what: `${name}: write-ahead log`, measured: walBytes / 1024, unit: 'KiB', target: '', met: null },
]
report(
  'rows-per-update',
  `Rows written by an update of one deployment (mean of ${deployments} pushed, of one pulled)`,
  [...figures('push', push), ...figures('pull', pull)],
  { deployments, push, pull },
)

async function pushed(): Promise<RowCounts> {
  const server = await startTestServer()
  try {
    const made = await server.database()
    const { url } = made
    const fleet = await testFleet(made)
    const names = Array.from({ length: deployments }, (_, index) => `d${index}`)
    for (const name of names) await fleet.deploy(name)
    const control = fleet.start()
    const all = (version: string) => async () => Object.values(await fleet.versions()).every((each) => each === version)
    const atOnce = plan([{ name: 'all', share: 100, soak: '0s' }])
    const update = async (version: string) => {
      const rollout = await fleet.rollOut(await fleet.release(version), atOnce)
      await fleet.until(async () => (await all(version)()) && (await fleet.phase(rollout)) === 'complete', 300_000)
    }
    await update('1.0.0')
    await sleep(countedMs)
    const before = await readRows(made.pool)
    await update('2.0.0')
    await control.stop()
    await made.close()
    const after = openDatabase(url, { size: 1 })
    const counts = written(before, await readRows(after.pool), deployments)
    await after.close()
    return counts
  } finally {
    await server.stop()
  }
}

async function pulled(): Promise<RowCounts> {
  const world = await AgentWorld.start()
  const database = openDatabase(world.database, { size: 1 })
  try {
    await world.publish('1.0.0')
    await world.publish('2.0.0')
    const setup = await world.deploy('pulled')
    await world.agent({ directory: world.site(), setup })
    const update = async (version: string) => {
      await world.tell('pulled', version)
      await until(
        () => world.view('pulled'),
        (view) => view.phase === 'running' && view.actual?.version === version,
      )
    }
    await update('1.0.0')
    await sleep(countedMs)
    const before = await readRows(database.pool)
    await update('2.0.0')
    await sleep(countedMs)
    return written(before, await readRows(database.pool), 1)
  } finally {
    await database.close()
    await world.stop()
  }
}
