/**
 * A release to agents that all wait: real sessions and held syncs over real sockets at a real manager, until each has the new order with
 * its own sealed secret. Counted from the call that publishes the release. The secrets were set long before, so they are sealed already;
 * with `cold` none is: a manager that was just upgraded, or secrets that were all changed a moment ago.
 *
 *   node bench/waiting-agents.ts [agents, default 10000] [cold]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { startClient } from './agents/client.ts'
import { startAgentFleet } from './agents/fleet.ts'
import { watchPhases } from './agents/release-phases.ts'
import { countQueries } from './shared/count-queries.ts'
import { ownTime, postgresTimer } from './shared/processor-time.ts'
import { report } from './shared/report.ts'

const agents = Math.max(2, Number(process.argv[2] ?? 10_000))
const cold = process.argv[3] === 'cold'
const waitSeconds = 120
/** Queries that make the orders of one batch, and how many a batch makes: as `AgentHub` has it. */
const batch = { queries: 3, size: 200 }
const ofOrders = [
  'select "deployments"."id", "deployments"."name"',
  'select c.deployment, c.document',
  'select s.deployment, s.name',
]

const fleet = await startAgentFleet(agents, 120_000)
const client = startClient()
const queries = countQueries()
const { phases, stop: stopWatching } = watchPhases()
try {
  const tokens: string[] = []
  for (let from = 0; from < agents; from += 20) {
    tokens.push(...(await Promise.all(fleet.deployments.slice(from, from + 20).map((each) => fleet.begin(each)))))
  }
  if (!cold) await fleet.sealBoxes()
  await sql`analyze`.execute(fleet.db)
  const { rows: backends } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(fleet.db)
  const databaseTime = postgresTimer(backends[0]?.pid ?? 0)
  const { generation } = await fleet.db
    .selectFrom('deployments')
    .select((builder) => builder.fn.max('requested_generation').as('generation'))
    .executeTakeFirstOrThrow()
  await client.say({ do: 'open', port: fleet.port, tokens, known: Number(generation) }, 'open')
  await client.say({ do: 'wait', seconds: waitSeconds }, 'held')
  while ((await waiting()) < agents) await sleep(200)
  const publish = await fleet.publish('2.0.0', 2, { maxInFlight: agents })
  if (cold) await sql`delete from sealed_boxes`.execute(fleet.db)
  phases.told = phases.noticed = Number.NaN
  const before = queries.byText()
  const told = client.answer('told')
  const busyBefore = { manager: ownTime(), database: databaseTime() }
  const began = Date.now()
  await publish()
  const publishedMs = Date.now() - began
  const { at, failed, busy: ofClient } = await told
  const busy = {
    manager: ownTime() - busyBefore.manager,
    database: databaseTime() - busyBefore.database,
    client: ofClient,
  }
  const delays = at.map((one) => one - began).sort((a, b) => a - b)
  const after = queries.byText()
  const asked = Object.entries(after)
    .map(([text, count]) => ({ text, count: count - (before[text] ?? 0) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
  const total = asked.reduce((sum, { count }) => sum + count, 0)
  const quantile = (q: number) =>
    (delays[Math.min(delays.length - 1, Math.floor(q * delays.length))] ?? Number.NaN) / 1_000
  const all = quantile(1)
  const since = (instant: number) => (instant - began) / 1_000
  // What could not be found out is left out: where the system does not tell, and where a look was not seen.
  const plain = (what: string, measured: number, unit: string) =>
    Number.isFinite(measured) && measured >= 0 ? [{ what, measured, unit, target: '', met: null }] : []
  const orders = asked.filter(({ text }) => ofOrders.some((begin) => text.startsWith(begin)))
  const forOrders = orders.reduce((sum, { count }) => sum + count, 0)
  // Syncs that wake apart from the others make a batch of their own, so some more than the fewest.
  const fewest = Math.ceil(agents / batch.size) * batch.queries
  report(
    'waiting-agents',
    `A release to ${agents} waiting agents`,
    [
      {
        what: 'all have the order',
        measured: all,
        unit: 's',
        target: '<= 3 s',
        met: agents < 10_000 ? null : failed === 0 && all <= 3,
      },
      ...plain('published', publishedMs / 1_000, 's'),
      ...plain('the sync hub knows of the first', since(phases.noticed), 's'),
      ...plain('all are told, committed', since(phases.told), 's'),
      ...plain('the first has its order', quantile(0), 's'),
      ...plain('half have it', quantile(0.5), 's'),
      ...plain('processor time: manager', busy.manager, 's'),
      ...plain('processor time: PostgreSQL', busy.database, 's'),
      ...plain('processor time: the agents of the benchmark', busy.client, 's'),
      { what: 'syncs answered without an order', measured: failed, unit: '', target: '0', met: failed === 0 },
      { what: 'database queries from release to last order', measured: total, unit: '', target: '', met: null },
      {
        what: `of them for orders (${batch.queries} for ${batch.size} agents are ${fewest})`,
        measured: forOrders,
        unit: '',
        target: `<= ${2 * fewest}`,
        met: forOrders <= 2 * fewest,
      },
    ],
    { agents, cold, publishedMs, failed, phases, busy, queries: asked.slice(0, 25) },
  )
} finally {
  stopWatching()
  queries.stop()
  await client.stop()
  await fleet.stop()
}

/** How many syncs the manager holds, by its own word. */
async function waiting(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${fleet.port}/metrics`)).text()
  return Number(/^landfall_agents_waiting (\d+)/m.exec(text)?.[1] ?? 0)
}
