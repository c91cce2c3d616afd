import { setTimeout as sleep } from 'node:timers/promises'
import { canary, errorRate } from '@landfall/stack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { main } from '../../packages/cli/src/main.ts'
import { AgentWorld, until } from '../harness/agent-world.ts'

/** On each request: a line of the runtime's form within a trace, and its span and a counter by OTLP, as the runtime sends them. */
const talkative = `
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT
const headers = { 'content-type': 'application/json' }
for (const pair of (process.env.OTEL_EXPORTER_OTLP_HEADERS ?? '').split(',')) {
  const [name, value] = pair.split('=').map(decodeURIComponent)
  if (name) headers[name] = value
}
const attributes = (process.env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',').map((pair) => {
  const [key, value] = pair.split('=').map(decodeURIComponent)
  return { key, value: { stringValue: value } }
})
const post = (signal, body) => fetch(endpoint + '/v1/' + signal, { method: 'POST', headers, body: JSON.stringify(body) })
const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  const text = decodeURIComponent(request.url.slice(1))
  const level = text.startsWith('error') ? 'error' : 'info'
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  console.log(JSON.stringify({ time: new Date().toISOString(), level, message: text, traceId, spanId }))
  if (endpoint) {
    const nanos = Date.now() + '000000'
    const status = { code: level === 'error' ? 2 : 0 }
    const span = { traceId, spanId, name: 'GET ' + text, kind: 2, startTimeUnixNano: nanos, endTimeUnixNano: nanos, status }
    await post('traces', { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] })
    const point = { startTimeUnixNano: nanos, timeUnixNano: nanos, asInt: '1' }
    const metric = { name: 'words.said', sum: { isMonotonic: true, aggregationTemporality: 1, dataPoints: [point] } }
    await post('metrics', { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics: [metric] }] }] })
  }
  response.statusCode = process.env.BREAKS === 'yes' ? 500 : 200
  response.end('ok')
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
  await world.publish('1.0.0', { code: talkative })
})
afterAll(() => world.stop())

/** A deployment whose agent runs 1.0.0, and a way to make its worker say something. */
async function running(name: string, telemetry: 'on' | 'errors-only' | 'off' = 'on') {
  const setup = await world.deploy(name)
  await world.tell(name, '1.0.0')
  const agent = await world.agent({ directory: world.site(), setup })
  if (telemetry !== 'on') await agent.changeSettings({ telemetry }, 'Grace')
  const status = await until(
    () => agent.status(),
    ({ state, explanation }) => state?.phase === 'running' && explanation?.onTarget === true,
  )
  const url = status.state?.workers.api?.url ?? ''
  return { agent, url, say: (text: string) => fetch(`${url}/${encodeURIComponent(text)}`) }
}
/** `landfall logs NAME --follow --json` as a person runs it. */
async function follow(name: string) {
  const { secret } = await world.client.createOwnToken({ body: { name: 'cli' } })
  const stop = new AbortController()
  let out = ''
  const done = main(['logs', name, '--follow', '--json', '--project', 'shop', '--url', world.manager.url], {
    environment: { LANDFALL_TOKEN: secret },
    directory: world.directory,
    streams: { out: { write: (text) => (out += text) }, err: { write: () => {} } },
    signal: stop.signal,
  })
  return {
    lines: () =>
      out
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { body: string }).body),
    end: () => {
      stop.abort()
      return done
    },
  }
}
const lines = async (name: string, query: object = {}) =>
  (await world.client.getLogs({ params: world.of(name), query: { limit: 500, ...query } })).items
const bodies = async (name: string) => (await lines(name)).map((line) => line.body)

it('of a deployment that is pulled is seen like that of one that is pushed: lines, traces, metrics', {
  timeout: 240_000,
}, async () => {
  await world.client.createDeployment({
    params: { project: 'shop' },
    body: { name: 'pushed', platform: 'local', model: 'push', secrets: { token: 'x' } },
  })
  await world.tell('pushed', '1.0.0')
  const { say } = await running('pulled')
  const following = await follow('pulled')
  const pushed = await until(
    () => world.client.getDeployment({ params: world.of('pushed') }),
    ({ phase }) => phase === 'running',
  )
  const url = JSON.stringify(pushed).match(/http:\/\/127\.0\.0\.1:\d+/)?.[0] ?? ''
  await say('hello')
  await fetch(`${url}/hello`)
  const seen = async (name: string) => {
    const found = await until(
      () => lines(name),
      (items) => items.some((line) => line.body === 'hello'),
    )
    const line = found.find(({ body }) => body === 'hello') ?? expect.fail()
    const params = world.of(name)
    const { items } = await until(
      () => world.client.listTraces({ params }),
      (page) => page.items.length > 0,
    )
    const trace = await world.client.getTrace({ params: { ...params, trace: line.trace ?? '' } })
    const { series } = await until(
      () => world.client.getMetrics({ params, query: { metric: 'words.said' } }),
      (page) => page.series.length > 0,
    )
    return {
      line: [line.severity, line.worker, line.version, Object.keys(line.attributes).sort()],
      listed: items.map(({ name: root, workers, versions }) => [root, workers, versions]),
      trace: [trace.items.map((span) => [span.name, span.depth]), trace.logs.map((each) => each.body)],
      metric: series.map(({ metric, shows, worker, version }) => [metric, shows, worker, version]),
    }
  }
  const pulled = await seen('pulled')
  expect(pulled).toMatchObject({
    line: ['info', 'api', '1.0.0', expect.any(Array)],
    trace: [[['GET hello', 0]], ['hello']],
    metric: [['words.said', 'rate', 'api', '1.0.0']],
  })
  expect(await seen('pushed')).toEqual(pulled)
  await say('and more')
  await until(
    async () => following.lines(),
    (all) => all.includes('and more'),
  )
  expect(following.lines()).toEqual(['hello', 'and more'])
  expect(await following.end()).toBe(0)
})

it('waits at the agent while the manager is away, and comes once each, followers see it too', {
  timeout: 240_000,
}, async () => {
  const { agent, say } = await running('patient')
  await say('before')
  await until(
    () => bodies('patient'),
    (all) => all.includes('before'),
  )
  const params = world.of('patient')
  const start = await world.client.getLogs({ params, query: { limit: 1 } })
  const { port } = world
  await world.manager.stop()
  for (let i = 0; i < 20; i++) await say(`kept ${i}`)
  const held = await until(
    () => agent.status(),
    ({ telemetry }) => telemetry.bytes > 0,
  )
  expect(held.telemetry.dropped).toEqual([])
  await world.startAgain(port)
  const expected = Array.from({ length: 20 }, (_, i) => `kept ${i}`)
  const followed: string[] = []
  let after = start.next ?? ''
  await until(
    async () => {
      const page = await world.client.getLogs({ params, query: { limit: 7, after } })
      after = page.next ?? after
      followed.push(...page.items.map((line) => line.body))
      return followed
    },
    (all) => expected.every((line) => all.includes(line)),
  )
  expect(followed.toSorted()).toEqual(expected.toSorted())
  await until(
    () => agent.status(),
    ({ telemetry }) => telemetry.bytes === 0,
  )
  expect((await bodies('patient')).filter((line) => line.startsWith('kept')).length).toBe(20)
})

it('stays at home as the customer says, and a rollout is judged all the same', { timeout: 240_000 }, async () => {
  const { agent, url, say } = await running('silent', 'off')
  await say('nobody hears this')
  await world.publish('2.0.0', {
    code: talkative.replace("process.env.BREAKS === 'yes'", 'true'),
    rollout: canary({ steps: [{ share: 50, bake: '60s' }], analysis: [errorRate({ worseBy: 0.05 })] }),
  })
  await world.tell('silent', '2.0.0')
  let stop = false
  const traffic = (async () => {
    while (!stop) {
      await fetch(`${url}/more`).catch(() => {})
      await sleep(5)
    }
  })()
  const back = await until(
    () => agent.status(),
    ({ state }) => state?.phase === 'running' && state.rejected.length > 0 && state.candidate === null,
  ).finally(() => {
    stop = true
  })
  await traffic
  expect((await fetch(`${url}/still`)).status).toBe(200)
  const { links } = await agent.audit(0, 500)
  const evidence = links
    .map(({ data }) => data)
    .filter((data) => JSON.stringify(data ?? null).includes('"verdict":"fail"'))
  expect(back.state?.rejected.length).toBe(1)
  expect(JSON.stringify(evidence)).toContain('"metric":"error-rate"')
  expect(await lines('silent')).toEqual([])
  expect((await world.client.listTraces({ params: world.of('silent') })).items).toEqual([])
  expect((await agent.status()).telemetry.bytes).toBe(0)
  // A yes later lets out what comes then, and nothing of before.
  await agent.changeSettings({ telemetry: 'errors-only' }, 'Grace')
  await say('only this: no')
  // The manager learns of it from the agent's report, and remembers for a moment what it knew before.
  const heard = await until(
    async () => {
      await say('error: this')
      return bodies('silent')
    },
    (all) => all.length > 0,
  )
  expect(new Set(heard)).toEqual(new Set(['error: this']))
})
