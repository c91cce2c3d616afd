/**
 * A release to agents that all wait: real sessions and held syncs over real sockets at a real manager, until each has the new order with
 * its own sealed secret. Counted from the call that publishes the release.
 *
 *   node bench/waiting-agents.ts [agents, default 10000]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startClient } from './agents/client.ts'
import { startAgentFleet } from './agents/fleet.ts'
import { countQueries } from './shared/count-queries.ts'
import { report } from './shared/report.ts'

const agents = Math.max(2, Number(process.argv[2] ?? 10_000))
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
try {
  const tokens: string[] = []
  for (let from = 0; from < agents; from += 20) {
    tokens.push(...(await Promise.all(fleet.deployments.slice(from, from + 20).map((each) => fleet.begin(each)))))
  }
  const { generation } = await fleet.db
    .selectFrom('deployments')
    .select((builder) => builder.fn.max('requested_generation').as('generation'))
    .executeTakeFirstOrThrow()
  await client.say({ do: 'open', port: fleet.port, tokens, known: Number(generation) }, 'open')
  await client.say({ do: 'wait', seconds: waitSeconds }, 'held')
  while ((await waiting()) < agents) await sleep(200)
  const publish = await fleet.publish('2.0.0', 2, { maxInFlight: agents })
  const before = queries.byText()
  const told = client.answer('told')
  const began = Date.now()
  await publish()
  const publishedMs = Date.now() - began
  const { at, failed } = await told
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
      { what: 'half have it', measured: quantile(0.5), unit: 's', target: '', met: null },
      { what: 'the first has it', measured: quantile(0), unit: 's', target: '', met: null },
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
    { agents, publishedMs, failed, queries: asked.slice(0, 25) },
  )
} finally {
  queries.stop()
  await client.stop()
  await fleet.stop()
}

/** How many syncs the manager holds, by its own word. */
async function waiting(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${fleet.port}/metrics`)).text()
  return Number(/^landfall_agents_waiting (\d+)/m.exec(text)?.[1] ?? 0)
}
