import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { soon, TestEnvironment } from '../../testing/environment.ts'
import { hello } from '../../testing/sources.ts'
import { vendor } from '../../testing/vendor.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

test('a worker that ignores SIGTERM is killed with its children after the grace period', async () => {
  const api = environment.worker(
    `import { spawn } from 'node:child_process'
     process.on('SIGTERM', () => {})
     spawn('sleep', ['1000'], { stdio: 'ignore' })
     ${hello('stubborn').replace(/process\.on\('SIGTERM'.*/, '')}`,
    { gracePeriod: '300ms' },
  )
  const { id } = await environment.serve(api, '1.0.0')
  expect(await environment.processes()).toHaveLength(2)
  await environment.route(api, {})
  await environment.removeVersion(api, id)
  expect(await environment.processes()).toEqual([])
})

test('a worker that crashes after its start is restarted, then told as a crash loop', async () => {
  const api = environment.worker(`${hello('x')}; setTimeout(() => process.exit(3), 150)`)
  const id = await environment.start(api, '1.0.0')
  const seen = await environment.until(api, ({ versions }) => versions[id]?.failing !== undefined)
  expect(seen.versions[id]?.failing).toMatchObject({
    code: 'CRASH_LOOP',
    message: expect.stringContaining('exit code 3'),
  })
  expect(seen.versions[id]?.counters?.restarts).toBe(3)
})

test('a worker that never becomes healthy is told as soon as its startup time is over', async () => {
  const api = environment.worker('setInterval(() => {}, 1000)', { health: { startup: '300ms', interval: '50ms' } })
  const id = await environment.start(api, '1.0.0')
  const seen = await environment.until(api, ({ versions }) => versions[id]?.failing !== undefined)
  expect(seen.versions[id]).toMatchObject({ available: 0, failing: { code: 'START_FAILED' } })
})

test('an instance whose health check fails gets no requests until it is well again', async () => {
  const source = `
    import { createServer } from 'node:http'
    let well = true
    createServer((req, res) => {
      if (req.url === '/sick') { well = false; setTimeout(() => { well = true }, 600); return res.end() }
      res.statusCode = req.url === '/healthz' && !well ? 503 : 200
      res.end()
    }).listen(Number(process.env.PORT), '127.0.0.1')`
  const api = environment.worker(source, { health: { interval: '50ms', failures: 2 } })
  const { id, url } = await environment.serve(api, '1.0.0')
  await fetch(`${url}/sick`)
  await environment.until(api, ({ versions }) => versions[id]?.available === 0)
  expect((await fetch(url)).status).toBe(503)
  const seen = await environment.until(api, ({ versions }) => versions[id]?.available === 1)
  expect(seen.versions[id]?.counters?.restarts).toBe(0)
})

test('a flood of output hurts nobody: requests are answered, files stay small, losses are told', async () => {
  const api = environment.worker(
    `${hello('calm')}
     const line = 'flood '.repeat(100) + '\\n'
     // As fast as it is read, and no faster: a worker that holds back gigabytes dies of itself, which is not the host's doing.
     setInterval(() => { for (let i = 0; i < 2000 && !process.stdout.writableNeedDrain; i++) process.stdout.write(line) }, 1)`,
  )
  const { url } = await environment.serve(api, '1.0.0')
  for (let i = 0; i < 20; i++) {
    expect(await (await fetch(url)).text()).toBe('calm')
    await sleep(50)
  }
  const lines = []
  const options = { worker: 'api', signal: soon() }
  for await (const line of environment.platform.readLogs(environment.deployment, options)) lines.push(line)
  expect(lines.some(({ stream, line }) => stream === 'host' && line.includes('lines were dropped'))).toBe(true)
  const files = await readdir(join(environment.directory, 'logs'))
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(environment.directory, 'logs', file))).size),
  )
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(20_000_000)
})

test('output is read and followed, line by line with its version', async () => {
  const { id, url } = await environment.serve(environment.worker(hello('one')), '1.0.0')
  await fetch(`${url}/log`)
  const stop = new AbortController()
  const lines = []
  const options = { worker: 'api', follow: true, signal: stop.signal }
  for await (const line of environment.platform.readLogs(environment.deployment, options)) {
    lines.push(line)
    if (lines.length === 1) await fetch(`${url}/log`)
    if (lines.length === 2) stop.abort()
  }
  expect(lines).toMatchObject(
    Array(2).fill({ line: 'one says hello', stream: 'stdout', version: '1.0.0', versionId: id }),
  )
})

test("a worker sees its own variables and nothing of the host's or the manager's", async () => {
  process.env.MANAGER_SECRET = 'do-not-leak'
  const api = environment.worker(hello('one'), { env: { GREETING: 'hi', PORT: '1', TZ: 'Europe/Berlin' } })
  const { url } = await environment.serve(api, '1.0.0')
  const seen = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  delete process.env.MANAGER_SECRET
  expect(seen).toMatchObject({ GREETING: 'hi', TZ: 'Europe/Berlin', LANDFALL_WORKER: 'api', LANDFALL_VERSION: '1.0.0' })
  expect(seen.PORT).not.toBe('1')
  expect(Object.keys(seen).sort()).toEqual(
    [
      ...[
        'GREETING',
        'HOME',
        'LANDFALL_AREA',
        'LANDFALL_BINDINGS',
        'LANDFALL_DEPLOYMENT',
        'LANDFALL_GRACE_MS',
        'LANDFALL_HEALTH_PATH',
        'LANDFALL_HOST',
        'LANDFALL_LOGS',
        'LANDFALL_TIMEOUT_MS',
        'LANDFALL_TOKEN',
      ],
      ...['LANDFALL_VERSION', 'LANDFALL_VERSION_ID', 'LANDFALL_WORKER', 'LANG', 'NODE_ENV', 'PATH', 'PORT', 'TZ'],
    ].sort(),
  )
  const bad = environment.worker(hello('two'), { env: { NODE_OPTIONS: '--require /tmp/x.js' } })
  await expect(environment.start(bad, '1.1.0')).rejects.toMatchObject({ code: 'E_ENVIRONMENT_REFUSED' })
})

test("the runtime gets its worker's health path, timeout and grace period", async () => {
  // It answers this path itself, as the code does not: with another one the worker would never be ready.
  const api = environment.worker(vendor, { health: { path: '/alive' }, timeout: '300ms', gracePeriod: '700ms' })
  const { url } = await environment.serve(api, '1.0.0')
  expect((await fetch(`${url}/healthz`)).status).toBe(404)
  const seen = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  expect(seen).toMatchObject({ LANDFALL_TIMEOUT_MS: '300', LANDFALL_GRACE_MS: '700', LANDFALL_HEALTH_PATH: '/alive' })
  // Not through the router, which has a deadline of its own.
  const late = await fetch(`http://127.0.0.1:${seen.PORT}/hang`)
  expect([late.status, await late.json()]).toEqual([504, expect.objectContaining({ code: 'E_TIMEOUT' })])
})
