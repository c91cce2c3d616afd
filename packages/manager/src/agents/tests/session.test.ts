import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { codeOf, createWorld, operations, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
})
afterAll(() => server.stop())

describe('a session', () => {
  it('is given once for one request, however often it is sent, and ends the one before', async () => {
    const agent = await world.running('one')
    const before = agent.token
    const request = await agent.request()
    const first = await agent.begin(request)
    const again = await agent.begin(request)
    expect(again.number).toBe(first.number)
    await agent.sync()
    agent.token = before
    expect(await codeOf(agent.sync())).toBe('E_SESSION_ENDED')
    expect(await codeOf(agent.client.getAgentKeyset({}))).toBe('E_SESSION_ENDED')
  })

  it('is not given to a request that comes late, and nobody is taken for a clone by it', async () => {
    const agent = await world.running('late')
    const late = await agent.request()
    await agent.begin(late)
    await agent.begin()
    const number = agent.previous
    expect(await codeOf(world.manager.client('').beginAgentSession({ body: late }))).toBe('E_SESSION_ENDED')
    await agent.sync()
    expect(agent.previous).toBe(number)
    expect((await world.admin.getAgent({ params: world.of('late') })).problems).toEqual([])
  })

  it('is over after its time', async () => {
    const agent = await world.running('hour')
    world.manager.clock.advance(3_600_000)
    expect(await codeOf(agent.sync())).toBe('E_TOKEN_EXPIRED')
    await agent.begin()
    await agent.sync()
  })

  it('takes no token that was changed, and none of another database', async () => {
    const agent = await world.running('forged')
    const [head, body, mac] = agent.token.match(/^(lf_session_)([^.]+)\.(.+)$/)?.slice(1) ?? []
    const said = JSON.parse(Buffer.from(body ?? '', 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...said, session: 99 })).toString('base64url')
    for (const token of [`${head}${forged}.${mac}`, `${head}${body}.${'A'.repeat(43)}`, `${head}junk`]) {
      agent.token = token
      expect(await codeOf(agent.sync())).toBe('E_TOKEN_INVALID')
    }
  })

  it('is refused to who does not hold the key, and to what is not there, in the same words', async () => {
    const agent = await world.running('mine')
    const other = await world.running('theirs')
    const theirs = await other.request()
    const said = Buffer.from(
      JSON.stringify({ deployment: agent.deployment, nonce: 'n'.repeat(22), previous: 1 }),
    ).toString('base64')
    const begin = (envelope: typeof theirs) => codeOf(world.manager.client('').beginAgentSession({ body: envelope }))
    expect(await begin({ ...theirs, payload: said })).toBe('E_SESSION_REFUSED')
    expect(await begin({ ...theirs, payload: Buffer.from('junk').toString('base64') })).toBe('E_SESSION_REFUSED')
    await world.create('unenrolled')
    expect(await codeOf((await world.agent('unenrolled')).begin())).toBe('E_SESSION_REFUSED')
    await other.begin()
  })

  it('is known without a query', async () => {
    const agent = await world.running('lean')
    const { order } = await agent.sync()
    expect(await operations(world.manager.pool, () => agent.sync({ known: order?.generation ?? 0 }))).toBe(0)
  })
})

describe('two agents with one key', () => {
  it('are found out: the one that does not know the last session is refused, and people see it, once', async () => {
    const agent = await world.running('cloned')
    const copy = agent.copy()
    await copy.begin()
    expect(await codeOf(agent.sync())).toBe('E_SESSION_ENDED')
    expect(await codeOf(agent.begin())).toBe('E_AGENT_CLONED')
    expect(await codeOf(agent.begin())).toBe('E_AGENT_CLONED')
    const view = await world.admin.getAgent({ params: world.of('cloned') })
    expect(view.problems.map((problem) => problem.code)).toEqual(['E_AGENT_CLONED'])
    const entries = (await world.audit('cloned')).filter((entry) => entry.code === 'E_AGENT_CLONED')
    expect(entries).toHaveLength(1)
    const explanation = await world.admin.explainDeployment({ params: world.of('cloned') })
    expect(explanation.checks.find((check) => check.code === 'AGENT_CLONED')?.status).toBe('blocked')
    // The vendor lets one of them back in.
    await world.setUp('cloned', { replace: true })
    expect(await codeOf(copy.sync())).toBe('E_SESSION_ENDED')
  })
})

describe('telemetry', () => {
  it('goes in with the token of a session', async () => {
    const agent = await world.running('telemetry')
    const body = new TextEncoder().encode(JSON.stringify({ resourceLogs: [] }))
    const response = await world.manager.call('POST', '/v1/logs', {
      token: agent.token,
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(200)
  })
})
