import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestEnvironment } from '../../testing/environment.ts'
import { hello } from '../../testing/sources.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

/** Sends `count` requests, `width` at a time, and counts the answers by version; a failure counts as its status or error. */
async function ask(url: string, count: number, width = 20): Promise<Record<string, number>> {
  const seen: Record<string, number> = {}
  let left = count
  const client = async () => {
    while (left-- > 0) {
      const answer = await fetch(url).then(
        async (response) => {
          await response.text()
          return response.ok ? (response.headers.get('landfall-version') ?? 'none') : String(response.status)
        },
        (error: Error) => error.message,
      )
      seen[answer] = (seen[answer] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: width }, client))
  return seen
}

test('20% asked is 20% served, counted and read back', async () => {
  const api = environment.worker(hello('one'))
  const { id: stable, url } = await environment.serve(api, '1.0.0')
  const candidate = await environment.start(environment.worker(hello('two')), '1.1.0')
  await environment.until(api, ({ versions }) => versions[candidate]?.available === 1)
  await environment.route(api, { [stable]: 80, [candidate]: 20 })
  expect(await ask(url, 2_000)).toEqual({ '1.0.0': 1_600, '1.1.0': 400 })
  const seen = await environment.observe(api)
  expect(seen.served).toEqual({ [stable]: 80, [candidate]: 20 })
  expect(seen.versions[candidate]?.counters).toMatchObject({ requests: 400, errors: 0, restarts: 0 })
  expect(seen.versions[candidate]?.counters?.latency.reduce((sum, n) => sum + n, 0)).toBe(400)

  // Odd shares, and a step up while requests run: within one per cent.
  await environment.route(api, { [stable]: 83, [candidate]: 17 })
  const before = (await environment.observe(api)).versions[candidate]?.counters?.requests ?? 0
  await ask(url, 1_000)
  const after = (await environment.observe(api)).versions[candidate]?.counters?.requests ?? 0
  expect(after - before).toBe(170)
})

test('no request fails while shares move and the old version retires, slow ones included', async () => {
  const api = environment.worker(hello('one'))
  const { id: stable, url } = await environment.serve(api, '1.0.0', 2)
  const candidate = await environment.start(environment.worker(hello('two')), '1.1.0', 2)
  await environment.until(api, ({ versions }) => versions[candidate]?.available === 2)
  const load = Promise.all([ask(url, 1_500, 10), ask(`${url}/slow`, 60, 10)])
  for (const share of [10, 50, 90, 100]) {
    await environment.route(api, { [stable]: 100 - share, [candidate]: share })
  }
  await environment.moveTriggers(api, candidate)
  await environment.removeVersion(api, stable)
  const [quick, slow] = await load
  expect(Object.keys({ ...quick, ...slow }).filter((answer) => !['1.0.0', '1.1.0'].includes(answer))).toEqual([])
  const seen = await environment.observe(api)
  expect(Object.keys(seen.versions)).toEqual([candidate])
  expect(await environment.processes()).toHaveLength(2)
})

test('what fails is counted for its version; a version with nothing available serves nothing', async () => {
  const api = environment.worker(hello('one'))
  const { id: stable, url } = await environment.serve(api, '1.0.0')
  const candidate = await environment.start(environment.worker(hello('two')), '1.1.0')
  await environment.until(api, ({ versions }) => versions[candidate]?.available === 1)
  await environment.route(api, { [candidate]: 100 })
  expect((await fetch(`${url}/fail`)).status).toBe(500)
  await expect(fetch(`${url}/cut`).then((response) => response.text())).rejects.toThrow()
  const crashed = await fetch(`${url}/crash`, { method: 'POST' })
  expect(crashed.status).toBe(502)
  expect(await crashed.json()).toMatchObject({ code: 'E_WORKER_UNREACHABLE' })
  await environment.route(api, { [stable]: 50, [candidate]: 50 })
  const seen = await environment.until(api, ({ versions }) => versions[candidate]?.counters?.restarts === 1)
  expect(seen.versions[candidate]?.counters).toMatchObject({ requests: 3, errors: 3 })
  if (seen.versions[candidate]?.available === 0) expect(seen.served).toEqual({ [stable]: 100 })
  await environment.until(api, ({ served }) => served[candidate] === 50)
})

test('a request that crashes its process goes to no second one', async () => {
  const api = environment.worker(hello('one'))
  const { id, url } = await environment.serve(api, '1.0.0', 3)
  // Connections to all three are kept open by now.
  await ask(url, 30, 6)
  expect((await fetch(`${url}/crash`)).status).toBe(502)
  const seen = await environment.until(api, ({ versions }) => versions[id]?.available === 3)
  expect(seen.versions[id]?.counters).toMatchObject({ requests: 31, errors: 1, restarts: 1 })
})

test('bodies stream both ways, hop-by-hop headers stay, and inner paths are closed', async () => {
  const { url } = await environment.serve(environment.worker(hello('one')), '1.0.0')
  const body = 'x'.repeat(300_000)
  expect(await (await fetch(`${url}/echo`, { method: 'POST', body })).text()).toBe(body)
  const headers = await (await fetch(`${url}/headers`, { headers: { 'x-own': 'kept' } })).json()
  expect(headers).toMatchObject({ 'x-own': 'kept', 'x-forwarded-proto': 'http', host: new URL(url).host })
  expect((await fetch(`${url}/_landfall/invoke`, { method: 'POST', body: '{}' })).status).toBe(404)
})

test('upgrades pass through', async () => {
  const { url } = await environment.serve(environment.worker(hello('one')), '1.0.0')
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n')
  let text = ''
  for await (const chunk of socket) {
    const before = text
    text += String(chunk)
    if (!before.includes('\r\n\r\n') && text.includes('\r\n\r\n')) socket.write('ping')
    if (text.endsWith('ping')) break
  }
  expect(text).toMatch(/^HTTP\/1.1 101 .*landfall-version: 1.0.0.*\r\n\r\nping$/s)
})

test('with nothing available the answer is a problem document', async () => {
  const api = environment.worker(hello('one'))
  const { id, url } = await environment.serve(api, '1.0.0')
  await environment.start(api, '1.0.0', 0)
  await environment.until(api, ({ versions }) => versions[id]?.total === 0)
  const response = await fetch(url)
  expect(response.status).toBe(503)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await response.json()).toMatchObject({ status: 503, code: 'E_NO_INSTANCE' })
  expect((await environment.observe(api)).served).toEqual({})
})
