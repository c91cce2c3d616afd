/**
 * How soon an agent has what its deployment was told: in long-poll on the same machine, and behind a proxy that cuts every request held
 * longer than a second, where it polls.
 *
 *   node bench/pull-latency.ts [rounds, default 20]
 *
 * A real manager, PostgreSQL and agent. Prints a table and, as the last line, the same as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from '../packages/agent/src/index.ts'
import { AgentWorld, until } from '../test/harness/agent-world.ts'
import { reverseProxy } from '../test/harness/proxies.ts'
import { median, report } from './shared/report.ts'

const rounds = Math.max(2, Number(process.argv[2] ?? 20))
const poll = { waitMs: 20_000, intervalMs: 3_000, jitterMs: 1_000 }
const world = await AgentWorld.start(poll)
await world.publish('1.0.0')
await world.publish('1.1.0')
const proxy = await reverseProxy(() => world.manager.url, { cutAfterMs: 1_000 })

const held = await measure('held', world.manager.url, 'long-poll')
const polled = await measure('polled', proxy.url, 'poll')
const intervalMs = poll.intervalMs + poll.jitterMs
const most = (values: readonly number[]) => Math.max(...values)
report(
  'pull-latency',
  `From telling a deployment to its agent having the order, ${rounds} rounds each`,
  [
    { what: 'long-poll, median', measured: median(held), unit: 'ms', target: '', met: null },
    { what: 'long-poll, slowest', measured: most(held), unit: 'ms', target: '≤ 1000', met: most(held) <= 1_000 },
    { what: 'cut by a proxy, median', measured: median(polled), unit: 'ms', target: '', met: null },
    {
      what: 'cut by a proxy, slowest, of the poll interval',
      measured: most(polled) / intervalMs,
      unit: 'x',
      target: '≤ 1',
      met: most(polled) <= intervalMs,
    },
  ],
  { rounds, poll, held, polled },
)
await world.stop()
await proxy.stop()

/** Milliseconds from the call that tells it to the agent holding the order, each round at another moment of the wait. */
async function measure(name: string, url: string, mode: string): Promise<number[]> {
  await world.client.createDeployment({
    params: { project: 'shop' },
    body: { name, platform: 'local', model: 'pull', secrets: { token: 'x' } },
  })
  const agent = await world.agent({ directory: world.site(), setup: await world.setUp(name, { url }) })
  await until(
    () => agent.status(),
    ({ sync }) => sync?.mode === mode,
  )
  const took: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    await world.tell(name, round % 2 === 0 ? '1.0.0' : '1.1.0')
    await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running' || state === null,
    )
    await sleep((round * 397) % 2_000)
    const before = await generationOf(agent)
    const at = performance.now()
    await world.tell(name, round % 2 === 0 ? '1.1.0' : '1.0.0')
    while ((await generationOf(agent)) <= before) await sleep(5)
    took.push(performance.now() - at)
  }
  await agent.stop()
  return took
}

async function generationOf(agent: Agent): Promise<number> {
  return (await agent.status()).order?.generation ?? 0
}
