/**
 * One release re-targets a whole fleet: from the rollout's creation until every deployment has been told, by the real fleet loops on a
 * real PostgreSQL, beside a bare SQL loop of one UPDATE per deployment in one transaction (no config, history, audit or change feed).
 *
 *   node bench/retarget.ts [deployments, default 100000]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type RawBuilder, sql } from 'kysely'
import { advanceRollout } from '../packages/manager/src/control/fleet/advance-rollout.ts'
import { startFleetLoops } from '../packages/manager/src/control/fleet-loops.ts'
import { plan, realClock, testFleet } from '../packages/manager/src/control/testing/fleet.ts'
import { createWaker } from '../packages/manager/src/control/waker.ts'
import { startTestServer } from '../packages/manager/src/testing/database.ts'
import { cloneDeployment } from './shared/clone-deployment.ts'
import { report } from './shared/report.ts'

const count = Math.max(10, Number(process.argv[2] ?? 100_000))
const limitMs = 600_000
const server = await startTestServer()
try {
  const database = await server.database()
  const { db, pool } = database
  const fleet = await testFleet(database)
  await fleet.deploy('model')
  const first = await fleet.release('1.0.0')
  const setUp = fleet.start()
  await fleet.rollOut(first)
  await fleet.until(async () => (await fleet.versions()).model === '1.0.0', 60_000)
  await setUp.stop()
  await cloneDeployment(db, 'model', count - 1)

  // At rest: the release before has seen them all.
  while ((await advanceRollout(db, Date.now())) !== null);

  const release = await fleet.release('2.0.0')
  const waker = createWaker({ pool, clock: realClock, log: fleet.deps.log })
  const loops = startFleetLoops({ db, clock: realClock, log: fleet.deps.log, waker })
  const began = performance.now()
  await fleet.rollOut(
    release,
    plan([{ name: 'all', share: 100, soak: '0s' }], { maxInFlight: Math.min(count, 100_000) }),
  )
  waker.wake('rollouts')
  loops[0]?.wake()
  while ((await missing(sql`select from deployments where target_release is distinct from ${release}`)) !== null) {
    if (performance.now() - began > limitMs) throw new Error(`not told in time: ${fleet.warnings.slice(-3).join('\n')}`)
    await sleep(50)
  }
  const toldMs = performance.now() - began
  await Promise.all(loops.map((loop) => loop.stop()))
  await waker.stop()

  // What each further look costs while nobody has answered yet.
  const laterMs: number[] = []
  for (let look = 0; look < 3; look++) {
    await sql`update rollouts set requested_generation = requested_generation + 1 where phase <> 'superseded' and finished_at is null`.execute(
      db,
    )
    const at = performance.now()
    if ((await advanceRollout(db, Date.now())) === null) throw new Error('no rollout was due')
    laterMs.push(performance.now() - at)
  }
  const loopMs = await bareLoop()
  report(
    'retarget',
    `${count} deployments re-targeted by one release`,
    [
      {
        what: 'all told',
        measured: toldMs / 1000,
        unit: 's',
        target: '<= 10 s',
        met: count < 100_000 ? null : toldMs <= 10_000,
      },
      { what: 'bare SQL loop, an UPDATE per deployment', measured: loopMs / 1000, unit: 's', target: '', met: null },
      { what: 'ratio to the bare loop', measured: toldMs / loopMs, unit: '×', target: '', met: null },
      {
        what: 'a later look, nobody has answered',
        measured: Math.min(...laterMs) / 1000,
        unit: 's',
        target: '',
        met: null,
      },
    ],
    { deployments: count, toldMs, loopMs, laterMs },
  )

  /** Null where there is none: much cheaper to ask than how many there are. */
  async function missing(rows: RawBuilder<unknown>): Promise<true | null> {
    return (await sql`select from (select where exists (${rows})) one`.execute(db)).rows.length === 0 ? null : true
  }

  /** The least anybody could do with a loop: the same row, the same target, nothing else. */
  async function bareLoop(): Promise<number> {
    const { rows } = await pool.query<{ id: string; target: string }>(
      'select id, target::text from deployments order by id',
    )
    const client = await pool.connect()
    try {
      const at = performance.now()
      await client.query('begin')
      for (const { id, target } of rows) {
        await client.query({
          name: 'tell',
          text: 'update deployments set target = $2, requested_generation = requested_generation + 1 where id = $1',
          values: [id, target],
        })
      }
      await client.query('commit')
      return performance.now() - at
    } finally {
      client.release()
    }
  }
} finally {
  await server.stop()
}
