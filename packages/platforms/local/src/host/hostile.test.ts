import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binding } from '@landfall/runtime'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultHostCommand } from '../controllers/daemon.ts'
import { HostClient } from '../controllers/host-client.ts'
import { places } from '../shared/places.ts'
import { soon, TestEnvironment } from '../testing/environment.ts'
import { hostile, hostilePaths, hostileUpgrades } from '../testing/hostile.ts'
import { hello } from '../testing/sources.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

const rounds = 200

const at = <T>(all: readonly T[], round: number) => all[round % all.length] as T

/** Asks, and takes whatever comes: the status, or that there was no whole answer. */
async function ask(url: string, init: RequestInit = {}): Promise<number | 'broken'> {
  try {
    const response = await fetch(url, { ...init, signal: soon(10_000) })
    await response.arrayBuffer()
    return response.status
  } catch (error) {
    // Every answer has an end: one that never comes is a failure of the router.
    if ((error as Error).name === 'TimeoutError') throw error
    return 'broken'
  }
}

/** Says `text` on a bare connection; resolves when it is over. With `reset`, breaks it off as soon as something came back. */
function speak(url: string, text: string, reset: 'at once' | 'on data' | 'never'): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.once('close', () => resolve())
    socket.write(text, () => {
      if (reset === 'at once') socket.resetAndDestroy()
    })
    socket.on('data', () => {
      if (reset === 'on data') socket.resetAndDestroy()
    })
  })
}

async function expectOneDaemon(): Promise<void> {
  const log = await readFile(places(environment.directory).log, 'utf8')
  expect(log.match(/ listening \d+/g)).toHaveLength(1)
  expect(log).not.toContain('failed:')
}

test('a worker that breaks HTTP in every way hurts neither the daemon nor the other workers', {
  timeout: 60_000,
}, async () => {
  const good = environment.worker(hello('well'), { name: 'good' })
  const { url: goodUrl } = await environment.serve(good, '1.0.0')
  const bad = environment.worker(hostile, { name: 'bad', timeout: '5s' })
  const { id, url } = await environment.serve(bad, '1.0.0')
  const outcomes = new Set<string>()
  const round = async (n: number) => {
    const path = at(hostilePaths, n)
    const call = { command: 'break', id: `c${n}`, attempt: 1, input: null, deadline: Date.now() + 10_000 }
    const context = { deployment: environment.deployment, worker: 'bad', signal: soon(10_000) }
    const upgrade = `GET ${at(hostileUpgrades, n)} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nearly`
    const [invoked, ...answers] = await Promise.all([
      environment.platform.invoker.invoke(context, call, () => {}),
      ask(`${url}${path}`),
      ask(`${url}${path}`, { method: 'POST', body: 'x'.repeat(100_000) }),
      ask(`${goodUrl}/`),
      speak(url, upgrade, at(['never', 'on data', 'at once'] as const, n)),
    ])
    outcomes.add(invoked.ok ? 'ok' : invoked.error.code)
    expect(answers[2]).toBe(200)
  }
  let next = 0
  const client = async () => {
    while (next < rounds) await round(next++)
  }
  await Promise.all([client(), client(), client(), client()])
  expect([...outcomes].sort()).toEqual(['E_INVOCATION_BROKEN', 'E_INVOCATION_REFUSED', 'ok'])
  // Nothing hangs on: what was broken is over, so the process can be retired.
  await environment.route(bad, {})
  await environment.removeVersion(bad, id)
  await expectOneDaemon()
})

test('clients that break off hurt nobody: router, bindings and control socket', { timeout: 60_000 }, async () => {
  await environment.ensure({ type: 'storage', name: 'files' })
  const good = environment.worker(hello('well'), { uses: [{ resource: 'files', access: ['read', 'write'] }] })
  const { url } = await environment.serve(good, '1.0.0')
  const env = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  const { files } = JSON.parse(env.LANDFALL_BINDINGS ?? '') as Record<string, Binding>
  const authorization = `authorization: Bearer ${env.LANDFALL_TOKEN}`
  const big = 'x'.repeat(3_000_000)
  const object = `${files?.url}/objects/big`
  expect(
    (await fetch(object, { method: 'PUT', body: big, headers: { authorization: `Bearer ${env.LANDFALL_TOKEN}` } }))
      .status,
  ).toBe(204)
  const { pathname } = new URL(object)
  for (let n = 0; n < rounds; n++) {
    await Promise.all([
      speak(url, 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nhalf', 'at once'),
      speak(url, `POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${big.length + 1}\r\n\r\n${big}`, 'on data'),
      speak(url, 'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nping', 'on data'),
      speak(url, '\0\0not HTTP\r\n\r\n', 'never'),
      speak(url, 'GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 'never'),
      speak(
        object,
        `PUT ${pathname} HTTP/1.1\r\nhost: x\r\n${authorization}\r\ncontent-length: 100000\r\n\r\nhalf`,
        'at once',
      ),
      speak(object, `GET ${pathname} HTTP/1.1\r\nhost: x\r\n${authorization}\r\n\r\n`, 'on data'),
      speak(object, 'GET //%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 'never'),
    ])
    const stop = new AbortController()
    const lines = environment.platform.readLogs(environment.deployment, {
      worker: 'api',
      follow: true,
      signal: stop.signal,
    })
    const reading = lines[Symbol.asyncIterator]().next()
    await sleep(1)
    stop.abort()
    await reading
    expect(await (await fetch(url)).text()).toBe('well')
  }
  await expectOneDaemon()
})

test('a command that floods a caller who does not read has to wait, not the daemon to swell', async () => {
  const source = `
    import { createServer } from 'node:http'
    let sent = 0
    createServer((req, res) => {
      if (req.url !== '/_landfall/invoke') return res.end(String(sent))
      const line = JSON.stringify({ output: 'x'.repeat(65536) }) + '\\n'
      const more = () => { do sent += line.length; while (res.write(line)) }
      res.on('drain', more)
      more()
    }).listen(Number(process.env.PORT), '127.0.0.1')`
  const { url } = await environment.serve(environment.worker(source), '1.0.0')
  const sent = async () => Number(await (await fetch(url)).text())
  const call = { command: 'flood', id: 'c', attempt: 1, input: null, deadline: Date.now() + 60_000 }
  const client = new HostClient(places(environment.directory), environment.deployment.id, defaultHostCommand())
  const stop = new AbortController()
  const path = '/v1/workers/api/invoke'
  const answer = await client.open({ method: 'POST', path, json: { version: null, call }, signal: stop.signal })
  let before = -1
  // It stands still once every buffer on the way is full.
  for (let now = await sent(); now === 0 || now !== before; now = await sent()) {
    before = now
    await sleep(300)
  }
  expect(before).toBeLessThan(64_000_000)
  answer.on('error', () => {})
  stop.abort()
  await expectOneDaemon()
})
