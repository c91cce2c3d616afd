import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { openDatabase } from './database.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** The way to a database, until all that is on it is swallowed; connections stay open. */
async function road(to: string) {
  const { hostname, port } = new URL(to)
  const open: Socket[] = []
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const one of [client, upstream]) open.push(one.on('error', () => {}))
    client.pipe(upstream).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = new URL(to)
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    swallow: () => {
      for (const one of open.splice(0)) one.unpipe().resume()
    },
    stop: () => {
      listener.close()
      for (const one of open) one.destroy()
    },
  }
}

it('gives a connection up on which nothing comes back, and goes on with another', async () => {
  const way = await road((await server.empty()).url)
  const database = openDatabase(way.url, { size: 1, silenceMs: 500 })
  await database.pool.query('select 1')
  const swallowed = database.pool.query('select 2')
  way.swallow()
  await expect(swallowed).rejects.toThrow()
  expect((await database.pool.query('select 3 as n')).rows).toEqual([{ n: 3 }])
  await database.close()
  way.stop()
})

it('a manager that stands still in a transaction holds its locks for no longer than a lease', async () => {
  const { url } = await server.empty()
  const database = openDatabase(url)
  const { rows } = await database.pool.query(
    `select setting::int from pg_settings where name = 'idle_in_transaction_session_timeout' and unit = 'ms'`,
  )
  expect(rows).toEqual([{ setting: 15_000 }])
  await database.close()
})
