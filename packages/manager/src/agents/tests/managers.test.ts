import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@landfall/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Manager, startManager } from '../../serve/start-manager.ts'
import { TestAgent } from '../../testing/agent.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createVendor } from '../../testing/vendor.ts'
import { codeOf } from './world.ts'

let server: TestServer
let directory = ''
let url = ''
let a: Manager
let b: Manager
let admin: (manager: Manager) => Client
let agent: TestAgent
const door = proxy()
const project = 'acme'
const params = { project, deployment: 'eu' }

/** The database as manager A reaches it: a door that can be shut. */
function proxy() {
  let target = new URL('postgres://localhost:1')
  let shut = false
  const open = new Set<Socket>()
  const listener = createServer((client) => {
    if (shut) return client.destroy()
    const upstream = connect({ host: target.hostname, port: Number(target.port) })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  return {
    start: async (to: string) => {
      target = new URL(to)
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
      const through = new URL(to)
      through.hostname = '127.0.0.1'
      through.port = String((listener.address() as AddressInfo).port)
      return through.toString()
    },
    shut: () => {
      shut = true
      for (const socket of open) socket.destroy()
    },
    open: () => {
      shut = false
    },
    stop: () => {
      for (const socket of open) socket.destroy()
      listener.close()
    },
  }
}

const start = (databaseUrl: string) =>
  startManager({
    dataDir: directory,
    port: 0,
    databaseUrl,
    webDirectory: null,
    agents: { waitMs: 100_000, intervalMs: 50, jitterMs: 0 },
    log: { info: () => {}, warn: () => {} },
  })
const at = (manager: Manager) => (token: string) => createClient({ url: manager.url, token, timeoutMs: 100_000 })
/** The agent turns to another manager with the session that it has. */
function turnTo(manager: Manager): TestAgent {
  const there = new TestAgent(at(manager), agent.setup, agent)
  there.token = agent.token
  return there
}
async function held(manager: Manager, count: number): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${manager.url}/metrics`)).text()
    if (new RegExp(`^landfall_agents_waiting ${count}$`, 'm').test(text)) return
  }
}

beforeAll(async () => {
  server = await startTestServer()
  directory = await mkdtemp(join(tmpdir(), 'landfall-managers-'))
  url = (await server.empty()).url
  a = await start(await door.start(url))
  let cookie = ''
  const browser: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    if (cookie !== '') headers.set('cookie', cookie)
    headers.set('origin', a.url)
    const response = await fetch(input, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  const first = createClient({ url: a.url, fetch: browser })
  const token = new URL(a.bootstrapUrl ?? '').searchParams.get('token') ?? ''
  await first.bootstrap({ body: { token, name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' } })
  const { secret } = await first.createOwnToken({ body: { name: 'test' } })
  admin = (manager) => at(manager)(secret)
  // Only now: each start without an account makes a new link.
  b = await start(url)
  const vendor = createVendor(project, Date.now())
  await admin(a).createProject({
    body: { name: project, rootPublicKey: vendor.root.publicKey, keyset: await vendor.keyset(1) },
  })
  for (const [index, version] of ['1.0.0', '1.1.0'].entries()) {
    const release = await vendor.release({ version, sequence: index + 1 })
    await admin(a).putBlob({ params: { project, digest: release.digest }, body: release.blob })
    await admin(a).createRelease({ params: { project }, body: { envelope: release.envelope, rollout: 'none' } })
  }
  await admin(a).createDeployment({
    params: { project },
    body: { name: 'eu', platform: 'local', model: 'pull', secrets: { 'stripe-key': 'sk' } },
  })
  agent = new TestAgent(at(a), await admin(a).createAgentSetup({ params, body: {} }))
  await agent.enrol()
  await agent.begin()
})
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()])
  door.stop()
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

describe('two managers over one database', () => {
  it('an agent waits at one, the release is told at the other: the first one answers', async () => {
    const known = (await agent.sync()).order?.generation ?? 0
    const waiting = agent.sync({ known, wait: 100 })
    await held(a, 1)
    await admin(b).updateDeployment({ params, body: { pin: '1.0.0' } })
    const { order } = await waiting
    expect(order?.generation).toBeGreaterThan(known)
    expect(order?.target).not.toBeNull()
  })

  it('take the same session, and one report once', async () => {
    const report = agent.report({ audit: agent.happened({ type: 'deployment.arrived', message: 'Arrived' }) })
    const there = turnTo(b)
    const [one, two] = await Promise.all([agent.sync({ report }), there.sync({ report })])
    expect([one.reported, two.reported]).toEqual([report.number, report.number])
    const { items } = await admin(b).listDeploymentAudit({ params, query: { limit: 100 } })
    expect(items.filter((entry) => entry.actor === 'agent:engine')).toHaveLength(1)
    // The next goes to the other one, which knows an older head until it is told.
    const next = turnTo(b)
    await next.sync({ report: next.report({ audit: next.happened({ type: 'deployment.arrived', message: 'Again' }) }) })
    agent.number = next.number
    agent.links = next.links
    const last = agent.report({ audit: agent.happened({ type: 'deployment.arrived', message: 'Back' }) })
    expect((await agent.sync({ report: last })).audit.number).toBe(3)
  })
})

describe('a database that is away', () => {
  it('is told as such, may be asked again, and loses nothing', async () => {
    const known = (await agent.sync()).order?.generation ?? 0
    const waiting = agent.sync({ known, wait: 3 })
    await held(a, 1)
    door.shut()
    const report = agent.report({ audit: agent.happened({ type: 'deployment.arrived', message: 'Meanwhile' }) })
    const refusal = await turnTo(a)
      .sync({ known, report })
      .then(
        () => null,
        (error: { code: string; retryable: boolean }) => error,
      )
    expect(refusal).toMatchObject({ code: 'E_BUSY', retryable: true })
    // What finds nothing new needs no database.
    expect((await waiting).order).toBeNull()
    expect((await agent.sync({ known })).order).toBeNull()
    door.open()
    let answer = await agent.sync({ known, report }).catch(() => null)
    while (answer === null) answer = await agent.sync({ known, report }).catch(() => null)
    expect(answer.reported).toBe(report.number)
    expect(answer.audit.number).toBe(report.audit.at(-1)?.number)
  })
})

describe('a manager that ends', () => {
  it('answers who waits, as if there were nothing new; its successor knows the session', async () => {
    const known = (await agent.sync()).order?.generation ?? 0
    const waiting = agent.sync({ known, wait: 100 })
    await held(a, 1)
    await a.stop()
    expect((await waiting).order).toBeNull()
    expect(await codeOf(agent.sync())).toBe('E_UNREACHABLE')
    a = await start(url)
    const there = turnTo(a)
    expect((await there.sync({ known })).order).toBeNull()
    const report = there.report({ audit: there.happened({ type: 'deployment.arrived', message: 'After' }) })
    expect((await there.sync({ known, report })).reported).toBe(report.number)
    agent = there
  })
})
