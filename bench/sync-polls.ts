/**
 * Polls that find nothing new: the manager's own port beside a bare `node:http` server in the same process that answers the same bytes,
 * in turn, over the same number of keep-alive connections from a process of its own.
 *
 *   node bench/sync-polls.ts [agents, default 200] [seconds a turn, default 3] [turns, default 7]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startClient } from './agents/client.ts'
import { startAgentFleet } from './agents/fleet.ts'
import { countQueries } from './shared/count-queries.ts'
import { median, report } from './shared/report.ts'

const agents = Math.max(2, Number(process.argv[2] ?? 200))
const turnMs = Math.max(0.1, Number(process.argv[3] ?? 3)) * 1_000
const turns = Math.max(1, Number(process.argv[4] ?? 7))

const fleet = await startAgentFleet(agents, 50_000)
const client = startClient()
const bare = createServer({ keepAliveTimeout: 65_000 })
const queries = countQueries()
try {
  const tokens: string[] = []
  for (const deployment of fleet.deployments) tokens.push(await fleet.begin(deployment))
  const known = await generationOf(tokens[0] ?? '')
  const sample = await sync(tokens[0] ?? '', known)
  const body = await sample.text()
  const headers = [...sample.headers].filter(([name]) => !['connection', 'keep-alive', 'date'].includes(name)).flat()
  bare.on('request', (request, response) => {
    request.on('data', () => {})
    request.on('end', () => {
      response.writeHead(200, headers)
      response.end(body)
    })
  })
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve))
  const barePort = (bare.address() as AddressInfo).port
  await client.say({ do: 'open', port: fleet.port, tokens, known }, 'open')
  // Once each, not counted: what is read at an agent's first sync, and what V8 has to learn.
  for (const port of [fleet.port, barePort]) await client.say({ do: 'poll', port, ms: turnMs }, 'poll')
  const ours: number[] = []
  const rival: number[] = []
  let polls = 0
  let asked = 0
  const ourMs: number[] = []
  const rivalMs: number[] = []
  let pollingMs = 0
  for (let turn = 0; turn < turns; turn++) {
    const before = queries.total()
    const cpu = processorMs()
    const manager = await client.say({ do: 'poll', port: fleet.port, ms: turnMs }, 'poll')
    asked += queries.total() - before
    polls += manager.polls
    ourMs.push((processorMs() - cpu) / manager.polls)
    pollingMs += manager.ms
    const plainCpu = processorMs()
    const plain = await client.say({ do: 'poll', port: barePort, ms: turnMs }, 'poll')
    if (manager.failed + plain.failed > 0) throw new Error(`${manager.failed} and ${plain.failed} polls failed`)
    rivalMs.push((processorMs() - plainCpu) / plain.polls)
    ours.push((1_000 * manager.polls) / manager.ms)
    rival.push((1_000 * plain.polls) / plain.ms)
  }
  // The manager's own loops ask all the time: what they ask while nobody polls is taken off.
  const quiet = queries.total()
  await sleep(pollingMs)
  const own = queries.total() - quiet
  const ratio = median(ours.map((rate, turn) => rate / (rival[turn] ?? Number.NaN)))
  const work = median(rivalMs.map((ms, turn) => ms / (ourMs[turn] ?? Number.NaN)))
  const extra = Math.max(0, asked - own) / polls
  report(
    'sync-polls',
    `Unchanged polls over ${agents} connections, ${turns} turns of ${turnMs / 1_000} s`,
    [
      { what: 'manager', measured: median(ours), unit: 'polls/s', target: '', met: null },
      { what: 'bare node:http, same bytes', measured: median(rival), unit: 'polls/s', target: '', met: null },
      { what: 'ratio, median of pairs', measured: ratio, unit: '×', target: '>= 0.5', met: ratio >= 0.5 },
      { what: 'the same by processor time per poll', measured: work, unit: '×', target: '>= 0.5', met: work >= 0.5 },
      {
        what: 'queries per 1000 polls beyond those of the idle manager',
        measured: 1_000 * extra,
        unit: '',
        target: '< 1',
        met: extra < 0.001,
      },
    ],
    { agents, turns, turnMs, polls, ours, rival, ratio, work, queries: { whilePolling: asked, whileIdle: own } },
  )
} finally {
  queries.stop()
  await client.stop()
  bare.closeAllConnections()
  bare.close()
  await fleet.stop()
}

/** Of this process: load on the machine does not change it much. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function sync(token: string, known: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${fleet.port}/api/agent/sync`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ known, wait: 0, commandRoom: 4 }),
  })
}

async function generationOf(token: string): Promise<number> {
  const { order } = (await (await sync(token, 0)).json()) as { order: { generation: number } | null }
  return order?.generation ?? 0
}
