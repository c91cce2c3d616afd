import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { routes, type SyncAnswer } from '@landfall/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { handlers } from '../../api/handlers.ts'
import { createApp } from '../../http/create-app.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { fillBoxes } from '../order/fill-boxes.ts'
import { answerSyncs } from '../sync-listener.ts'
import { createWorld, operations, type World } from './world.ts'

let database: TestServer
let world: World
let server: Server
let beyond = 0
const draining = new AbortController()
beforeAll(async () => {
  database = await startTestServer()
  world = await createWorld(database)
  await world.publish('1.0.0', 1)
  const services = { ...world.manager.services, stopping: draining.signal }
  const framework = getRequestListener(createApp(services, handlers).fetch)
  const listener = answerSyncs(services, (request, response) => {
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
async function poll(token: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  const before = beyond
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}${routes.sync.path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
  const said = (await response.json()) as SyncAnswer & { code?: string }
  return { status: response.status, headers: response.headers, said, framework: beyond > before }
}

async function upToDate(agent: Awaited<ReturnType<World['running']>>) {
  return { known: (await agent.sync()).order?.generation ?? 0, agents: world.manager.services.agents }
}
/** Until the hub holds so many syncs; a deadline is vitest's. */
async function waiting(count: number): Promise<void> {
  while (world.manager.services.agents.hub.counts.waiting !== count)
    await new Promise((resolve) => setTimeout(resolve, 5))
}

const lean = { wait: 0, commandRoom: 0 }

it('answers what the framework would answer, with its headers, without it and without the database', async () => {
  const agent = await world.running('quick')
  const first = await poll(agent.token, { ...lean, known: 0 })
  const known = first.said.order?.generation ?? 0
  expect(first).toMatchObject({ status: 200, framework: false })
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
  const reporting = await poll(agent.token, { ...lean, known: 10 ** 6, report: agent.report() })
  expect(reporting).toMatchObject({ status: 200, framework: true, said: { reported: 1 } })
})

it('answers an order, polled or waited for, as the framework would', async () => {
  const agent = await world.running('news')
  const { known, agents } = await upToDate(agent)
  const held = poll(agent.token, { ...lean, wait: 100, known })
  await waiting(1)
  expect(world.manager.services.requests.inFlight).toBe(1)
  await world.tell('news', '1.0.0')
  await fillBoxes(world.manager.db, world.manager.services.keyring, async () => {})
  await agents.hub.look()
  const waited = await held
  expect(waited).toMatchObject({ status: 200, framework: false })
  expect(waited.said.order?.generation).toBeGreaterThan(known)
  expect(world.manager.services.requests.inFlight).toBe(0)
  const [secret] = waited.said.order?.secrets ?? []
  expect(agent.open(secret?.sealed ?? '', `secret:${agent.deployment}:stripe-key:1`)).toBe('sk_news')
  const polled = await poll(agent.token, { ...lean, known })
  const framework = await poll(agent.token, { ...lean, known }, { 'x-request-id': 'a-request-of-mine' })
  expect([polled.framework, framework.framework]).toEqual([false, true])
  // The framework drops what the contract does not name: so there is nothing of the kind.
  for (const one of [waited, polled]) expect({ ...one.said, now: '' }).toEqual({ ...framework.said, now: '' })
})

it('has a wait refused by the framework when its session ends', async () => {
  const agent = await world.running('replaced')
  const { known } = await upToDate(agent)
  const held = poll(agent.token, { ...lean, wait: 100, known })
  await waiting(1)
  await agent.begin()
  expect(await held).toMatchObject({ status: 401, framework: true, said: { code: 'E_SESSION_ENDED' } })
  expect(world.manager.services.requests.inFlight).toBe(0)
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

it('lets a wait go when its client does, or when the manager drains', async () => {
  const agent = await world.running('leaves')
  const { known } = await upToDate(agent)
  const leaving = new AbortController()
  const left = poll(agent.token, { ...lean, wait: 100, known }, {}, leaving.signal).catch(() => 'left')
  await waiting(1)
  leaving.abort()
  expect(await left).toBe('left')
  await waiting(0)
  const held = poll(agent.token, { ...lean, wait: 100, known })
  await waiting(1)
  draining.abort()
  expect(await held).toMatchObject({ status: 200, framework: false, said: { order: null } })
  const late = await poll(agent.token, { ...lean, wait: 100, known })
  expect(late).toMatchObject({ status: 200, framework: false, said: { order: null } })
  await waiting(0)
  expect(world.manager.services.requests.inFlight).toBe(0)
})
