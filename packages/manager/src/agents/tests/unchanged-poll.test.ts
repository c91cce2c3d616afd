import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { routes, type SyncAnswer } from '@landfall/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { handlers } from '../../api/handlers.ts'
import { createApp } from '../../http/create-app.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { answerUnchangedPolls } from '../unchanged-poll.ts'
import { createWorld, operations, type World } from './world.ts'

let database: TestServer
let world: World
let server: Server
let beyond = 0
beforeAll(async () => {
  database = await startTestServer()
  world = await createWorld(database)
  await world.publish('1.0.0', 1)
  const { services } = world.manager
  const framework = getRequestListener(createApp(services, handlers).fetch)
  const listener = answerUnchangedPolls(services, (request, response) => {
    beyond += 1
    return framework(request, response)
  })
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await database.stop()
})

/** One call over a real socket; whether the framework was asked. */
async function poll(token: string, body: unknown, headers: Record<string, string> = {}) {
  const before = beyond
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}${routes.sync.path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const said = (await response.json()) as SyncAnswer & { code?: string }
  return { status: response.status, headers: response.headers, said, framework: beyond > before }
}

const lean = { wait: 0, commandRoom: 0 }

it('answers what the framework would answer, with its headers, without it and without the database', async () => {
  const agent = await world.running('quick')
  const first = await poll(agent.token, { ...lean, known: 0 })
  const known = first.said.order?.generation ?? 0
  expect(first).toMatchObject({ status: 200, framework: true })
  let quick = first
  const used = await operations(world.manager.pool, async () => {
    quick = await poll(agent.token, { ...lean, known })
  })
  expect(used).toBe(0)
  expect(quick).toMatchObject({ status: 200, framework: false })
  const slow = await poll(agent.token, { ...lean, known }, { 'x-request-id': 'a-request-of-mine' })
  expect(slow.framework).toBe(true)
  expect({ ...quick.said, now: '' }).toEqual({ ...slow.said, now: '' })
  expect(routes.sync.result?.parse(quick.said)).toEqual(quick.said)
  const names = (headers: Headers) => [...headers.keys()].filter((name) => name !== 'transfer-encoding').sort()
  expect(names(quick.headers)).toEqual(names(slow.headers))
  expect(quick.headers.get('content-security-policy')).toBe(slow.headers.get('content-security-policy'))
  expect(world.manager.accessLog.at(-2)).toMatchObject({ operation: 'sync', status: 200, actor: 'agent:quick' })
})

it('leaves to the framework whatever is not exactly that, and what it is told is still read whole', async () => {
  const agent = await world.running('rest')
  const known = (await agent.sync()).order?.generation ?? 0
  const refusals: [token: string, body: unknown, status: number, code: string][] = [
    [`${agent.token}x`, { ...lean, known }, 401, 'E_TOKEN_INVALID'],
    [agent.token.replace(/\..*/, `.${'A'.repeat(43)}`), { ...lean, known }, 401, 'E_TOKEN_INVALID'],
    ['nothing', { ...lean, known }, 401, 'E_TOKEN_INVALID'],
    [agent.token, { ...lean, known, more: 1 }, 400, 'E_INVALID_REQUEST'],
    [agent.token, { ...lean, known: -1 }, 400, 'E_INVALID_REQUEST'],
    [agent.token, '{', 400, 'E_INVALID_REQUEST'],
  ]
  for (const [token, body, status, code] of refusals) {
    expect(await poll(token, body)).toMatchObject({ status, framework: true, said: { code } })
  }
  expect((await poll(agent.token, { ...lean, known })).framework).toBe(false)
  await world.tell('rest', '1.0.0')
  await world.manager.services.agents.hub.look()
  const news = await poll(agent.token, { ...lean, known })
  expect(news).toMatchObject({ status: 200, framework: true })
  expect(news.said.order?.generation).toBeGreaterThan(known)
})

it('knows a session that is over, and a token that has expired, also on a connection that proved it before', async () => {
  const agent = await world.running('over')
  const known = (await agent.sync()).order?.generation ?? 0
  const { token } = agent
  expect((await poll(token, { ...lean, known })).framework).toBe(false)
  await agent.begin()
  expect(await poll(token, { ...lean, known })).toMatchObject({ status: 401, said: { code: 'E_SESSION_ENDED' } })
  await agent.sync({ known })
  expect((await poll(agent.token, { ...lean, known })).framework).toBe(false)
  world.manager.clock.advance(3_600_000)
  expect(await poll(agent.token, { ...lean, known })).toMatchObject({ status: 401, said: { code: 'E_TOKEN_EXPIRED' } })
})
