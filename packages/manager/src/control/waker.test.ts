import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { realClock } from './testing/fleet.ts'
import { createWaker } from './waker.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const settled = async (done: () => boolean) => {
  for (let tries = 0; tries < 400 && !done(); tries++) await realClock.sleep(10)
  expect(done()).toBe(true)
}

it('wakes every manager, many calls as few, and takes everything as new after its connection was lost', async () => {
  const { pool } = await server.database()
  const log = { info: () => {}, warn: () => {} }
  const here = createWaker({ pool, clock: realClock, log })
  const there = createWaker({ pool, clock: realClock, log })
  const heard = { deployments: 0, commands: 0 }
  there.on('deployments', () => heard.deployments++)
  const stop = there.on('commands', () => heard.commands++)
  // A fresh connection says everything once.
  await settled(() => heard.deployments === 1 && heard.commands === 1)
  for (let i = 0; i < 500; i++) here.wake('deployments')
  await settled(() => heard.deployments >= 2)
  expect(heard.deployments).toBeLessThan(20)
  expect(heard.commands).toBe(1)
  stop()
  const before = heard.deployments
  await pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()",
  )
  await settled(() => heard.deployments > before)
  expect(heard.commands).toBe(1)
  await Promise.all([here.stop(), there.stop()])
  here.wake('deployments')
})

it('stops at any instant, also while it connects', async () => {
  const { pool } = await server.database()
  for (let turns = 0; turns < 30; turns++) {
    const waker = createWaker({ pool, clock: realClock, log: { info: () => {}, warn: () => {} } })
    waker.wake('changes')
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
    await waker.stop()
  }
})

it('goes on where its connection breaks as it begins to listen', async () => {
  const { url } = await server.database()
  let cuts = 0
  const between = createServer((client) => {
    const upstream = connect(Number(new URL(url).port), '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
    upstream.pipe(client)
    client.on('data', (chunk) => {
      if (cuts < 2 && chunk.includes('listen landfall')) {
        cuts += 1
        client.destroy()
      } else upstream.write(chunk)
    })
  })
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
  const through = new URL(url)
  through.port = String((between.address() as AddressInfo).port)
  const { pool, close } = openDatabase(through.href)
  const unheard: unknown[] = []
  const note = (error: unknown) => unheard.push(error)
  process.on('unhandledRejection', note)
  const waker = createWaker({ pool, clock: realClock, log: { info: () => {}, warn: () => {} } })
  let heard = 0
  waker.on('deployments', () => heard++)
  await settled(() => cuts === 2 && heard > 0)
  await waker.stop()
  await close()
  between.close()
  process.off('unhandledRejection', note)
  expect(unheard).toEqual([])
})
