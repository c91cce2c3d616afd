import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultHostCommand, startDaemon } from '../controllers/daemon.ts'
import { HostClient } from '../controllers/host-client.ts'
import { stopHost } from '../controllers/stop-host.ts'
import type { HostStatus } from '../shared/control.ts'
import { places } from '../shared/places.ts'
import { soon, TestEnvironment } from '../testing/environment.ts'
import { hello } from '../testing/sources.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

async function status(): Promise<HostStatus> {
  const client = new HostClient(places(environment.directory), environment.deployment.id, defaultHostCommand())
  const answer = await client.json<HostStatus>({ method: 'GET', path: '/v1/status', signal: soon() })
  if (!answer) throw new Error('no status')
  return answer
}

async function killDaemon(): Promise<void> {
  const { pid } = await status()
  process.kill(pid, 'SIGKILL')
  for (;;) {
    try {
      process.kill(pid, 0)
      // A zombie answers to signal 0 too.
      if (readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) return
    } catch {
      return
    }
    await sleep(5)
  }
}

/** As the loop does: what may succeed later is tried again. A daemon that is just dying may still take a connection. */
async function again<T>(step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (!['E_HOST_UNREACHABLE', 'E_PRECONDITION_FAILED'].includes((error as { code?: string }).code ?? ''))
        throw error
    }
  }
}

test('a killed daemon comes back with the same address and shares, counters go on, nothing is doubled', async () => {
  const api = environment.worker(hello('one'))
  const { id: stable, url } = await environment.serve(api, '1.0.0', 2)
  const candidate = await environment.start(environment.worker(hello('two')), '1.1.0')
  await environment.until(api, ({ versions }) => versions[candidate]?.available === 1)
  await environment.route(api, { [stable]: 75, [candidate]: 25 })
  for (let i = 0; i < 8; i++) await (await fetch(url)).text()
  const before = await environment.observe(api)
  const processes = await environment.processes()

  await killDaemon()
  const after = await again(() => environment.until(api, ({ versions }) => versions[stable]?.available === 2))
  expect(after.url).toBe(url)
  expect(after.versions[stable]?.counters?.requests).toBe(before.versions[stable]?.counters?.requests)
  await environment.until(api, ({ served }) => served[candidate] === 25)
  const now = await environment.processes()
  expect(now).toHaveLength(3)
  expect(now.filter((pid) => processes.includes(pid))).toEqual([])
  expect(await (await fetch(url)).text()).toMatch(/one|two/)
})

test('killed again and again in the middle of everything, it converges to what was asked', async () => {
  const api = environment.worker(hello('one'))
  let { id: stable } = await environment.serve(api, '1.0.0')
  let kills = 0
  const killer = (async () => {
    for (; kills < 5; kills++) {
      await sleep(30 + Math.random() * 500)
      await again(killDaemon)
    }
  })()
  for (let round = 1; round < 3 || kills < 5; round++) {
    const candidate = await again(() => environment.start(api, `1.${round}.0`, 2))
    await again(() => environment.route(api, { [stable]: 50, [candidate]: 50 }))
    await again(() => environment.route(api, { [candidate]: 100 }))
    await again(() => environment.moveTriggers(api, candidate))
    await again(() => environment.removeVersion(api, stable))
    stable = candidate
  }
  await killer
  const seen = await again(() => environment.until(api, ({ versions }) => versions[stable]?.available === 2))
  expect(Object.keys(seen.versions)).toEqual([stable])
  expect(seen).toMatchObject({ served: { [stable]: 100 }, triggers: stable })
  expect(await environment.processes()).toHaveLength(2)
}, 60_000)

test('a second daemon gives way', async () => {
  const first = await status()
  startDaemon(places(environment.directory), defaultHostCommand())
  const log = join(environment.directory, 'host.log')
  while (!readFileSync(log, 'utf8').includes('another daemon holds this directory')) await sleep(20)
  expect(await status()).toEqual(first)
})

test('a daemon that takes long to start is waited for, not started again and again', async () => {
  await killDaemon()
  const starts = join(environment.directory, '..', `${environment.deployment.id}-${process.pid}.starts`)
  const [node, ...host] = defaultHostCommand()
  const slow = 'printf x >> "$0"; sleep 4; exec "$@"'
  const command = ['/bin/sh', '-c', slow, starts, node, ...host] as const
  try {
    // Asked again where the killed one, of which a thread may still be ending, took the call with it.
    const asked = [1, 2, 3].map(() =>
      again(() =>
        new HostClient(places(environment.directory), environment.deployment.id, command).json<HostStatus>({
          ...{ method: 'GET', path: '/v1/status', signal: soon() },
        }),
      ),
    )
    const pids = new Set((await Promise.all(asked)).map((answer) => answer?.pid))
    expect(pids.size).toBe(1)
    expect(readFileSync(starts, 'utf8')).toBe('x')
  } finally {
    await rm(starts, { force: true })
  }
})

test('SIGTERM ends the daemon with its workers; the next call brings both back', async () => {
  await environment.serve(environment.worker(hello('one')), '1.0.0')
  const { pid } = await status()
  process.kill(pid, 'SIGTERM')
  // Asked while it is still ending: a new one follows.
  while ((await again(status)).pid === pid) await sleep(20)
  const api = environment.worker(hello('one'))
  await again(() => environment.until(api, ({ versions }) => Object.values(versions)[0]?.available === 1))
  expect(await environment.processes()).toHaveLength(1)
  await stopHost(environment.deployment)
  expect(await environment.processes()).toEqual([])
})

test('a directory that is deleted under the daemon takes daemon and workers with it', async () => {
  await environment.serve(environment.worker(hello('one')), '1.0.0')
  const { pid } = await status()
  await rm(environment.directory, { recursive: true })
  const isAlive = () => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  while (isAlive() || (await environment.processes()).length > 0) await sleep(50)
})
