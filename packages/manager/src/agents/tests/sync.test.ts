import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createAgents } from '../agents.ts'
import type { CommandHandover } from '../command-handover.ts'
import type { AgentHub } from '../hub/hub.ts'
import { flushSeen } from '../start-loops.ts'
import { codeOf, createWorld, operations, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
  await world.publish('1.0.0', 1)
})
afterAll(() => server.stop())

const hub = () => world.manager.services.agents.hub
/** Until the hub holds so many syncs; a deadline is vitest's. */
async function held(count: number, of: AgentHub = hub()): Promise<void> {
  while (of.counts.waiting !== count) await new Promise((resolve) => setImmediate(resolve))
}
/** An agent that has the newest order. */
async function current(name: string) {
  const agent = await world.running(name)
  const known = (await agent.sync()).order?.generation ?? 0
  return { agent, known }
}

describe('a sync', () => {
  it('brings the order once; a higher generation brings the next', async () => {
    const agent = await world.running('orders')
    const first = (await agent.sync()).order
    expect(first?.target).toBeNull()
    const known = first?.generation ?? 0
    expect((await agent.sync({ known })).order).toBeNull()
    await world.tell('orders', '1.0.0')
    await hub().look()
    const next = (await agent.sync({ known })).order
    expect(next?.generation).toBeGreaterThan(known)
    expect(next?.target?.release).toMatch(/^sha256:/)
  })

  it('that finds nothing new does no database operation, waiting or not', async () => {
    const { agent, known } = await current('lean')
    expect(await operations(world.manager.pool, () => agent.sync({ known }))).toBe(0)
    expect(await operations(world.manager.pool, () => agent.sync({ known, wait: 1 }))).toBe(0)
    // The counter counts: what has to be read is read.
    expect(await operations(world.manager.pool, () => agent.sync({ known: 0 }))).toBeGreaterThan(0)
  })

  it('that waits is answered when there is something new', async () => {
    const { agent, known } = await current('waits')
    const waiting = agent.sync({ known, wait: 100 })
    await held(1)
    await world.tell('waits', '1.0.0')
    await hub().look()
    expect((await waiting).order?.generation).toBeGreaterThan(known)
    await held(0)
  })

  it('that waits is over when its client goes away, and when another of the same agent takes its place', async () => {
    const { agent, known } = await current('leaves')
    const leaving = new AbortController()
    const left = codeOf(agent.sync({ known, wait: 100 }, leaving.signal))
    await held(1)
    leaving.abort(new Error('gone'))
    await left
    await held(0)
    const first = agent.sync({ known, wait: 100 })
    await held(1)
    const second = agent.sync({ known, wait: 1 })
    expect((await first).order).toBeNull()
    expect((await second).order).toBeNull()
    await held(0)
  })

  it('that waits is ended by a later session, and told so', async () => {
    const { agent, known } = await current('again')
    const waiting = codeOf(agent.sync({ known, wait: 100 }))
    await held(1)
    await agent.begin()
    expect(await waiting).toBe('E_SESSION_ENDED')
  })

  it('is refused without a session, and to a token that is only for telemetry', async () => {
    const { agent } = await current('plain')
    agent.token = await world.manager.machine('agent', { project: world.project, deployment: agent.deployment })
    expect(await codeOf(agent.sync())).toBe('E_FORBIDDEN')
    agent.token = ''
    expect(await codeOf(agent.sync())).toBe('E_UNAUTHENTICATED')
  })

  it('of a deployment that is gone is refused', async () => {
    const { agent } = await current('gone')
    await world.manager.db
      .updateTable('deployments')
      .set({ deleted_at: new Date() })
      .where('id', '=', agent.deployment)
      .execute()
    await hub().reread()
    expect(await codeOf(agent.sync())).toBe('E_SESSION_ENDED')
  })

  it('passes a generation that a restored database does not know', async () => {
    const { agent, known } = await current('restored')
    const answer = await agent.sync({ known: known + 1000 })
    expect(answer.order?.generation).toBe(known + 1001)
    const huge = await agent.sync({ known: Number.MAX_SAFE_INTEGER })
    expect(huge.order).toBeNull()
    expect((await world.audit('restored'))[0]?.type).toBe('agent.ahead')
  })

  it('is seen: in one statement for all', async () => {
    const first = await current('seen-1')
    const second = await current('seen-2')
    await first.agent.sync({ known: first.known })
    await second.agent.sync({ known: second.known })
    expect(await operations(world.manager.pool, () => flushSeen(hub(), world.manager.db))).toBe(1)
    expect((await world.admin.getAgent({ params: world.of('seen-1') })).lastSeenAt).toBe(
      new Date(world.manager.clock.now()).toISOString(),
    )
  })
})

describe('many agents and one release', () => {
  it('cost one look for all of them, and a few queries for their orders', async () => {
    const count = 40
    const agents = []
    for (let index = 0; index < count; index += 1) agents.push(await current(`many-${index}`))
    const waiting = agents.map(({ agent, known }) => agent.sync({ known, wait: 100 }))
    await held(count)
    for (let index = 0; index < count; index += 1) await world.tell(`many-${index}`, '1.0.0')
    let answers: Awaited<ReturnType<(typeof agents)[number]['agent']['sync']>>[] = []
    const queries = await operations(world.manager.pool, async () => {
      expect(await operations(world.manager.pool, () => hub().look())).toBe(1)
      answers = await Promise.all(waiting)
    })
    // Beside the look, two batches at most: what is asked, configs, secrets.
    expect(queries).toBeLessThanOrEqual(1 + 2 * 3)
    expect(new Set(answers.map((answer) => answer.order?.deployment.id)).size).toBe(count)
    for (const [index, answer] of answers.entries()) {
      const agent = agents[index]?.agent
      const secret = answer.order?.secrets[0]
      const context = `secret:${agent?.deployment}:stripe-key:${secret?.version}`
      expect(agent?.open(secret?.sealed ?? '', context)).toBe(`sk_many-${index}`)
    }
  })

  it('are built in a fixed number of queries', async () => {
    const ids = (await world.manager.db.selectFrom('agents').select('deployment').execute()).map(
      (row) => row.deployment,
    )
    const { buildOrders } = await import('../order/build-orders.ts')
    const { db, services, pool } = world.manager
    let built = new Map()
    expect(
      await operations(pool, async () => {
        built = await buildOrders(db, services.keyring, ids)
      }),
    ).toBe(3)
    expect(built.size).toBeGreaterThan(40)
  })
})

describe('a hub', () => {
  const options = () => ({ ...world.manager.services, poll: { waitMs: 100_000, intervalMs: 1, jitterMs: 0 } })

  it('holds as many as it may, refuses more, and says to come again', async () => {
    const { agent: one, known } = await current('room-1')
    const { agent: two } = await current('room-2')
    const { tokens, hub: small } = createAgents({ ...options(), maxWaiting: 1 })
    const principal = (token: string) => {
      const { deployment, name, project, session } = tokens.read(token, world.manager.clock.now())
      return { kind: 'agent' as const, token, name, project, deployment, deploymentName: name, session }
    }
    const over = new AbortController()
    const request = { known, wait: 100, commandRoom: 0 }
    const first = small.sync(principal(one.token), request, over.signal)
    await held(1, small)
    await expect(small.sync(principal(two.token), request, over.signal)).rejects.toMatchObject({
      code: 'E_BUSY',
      retryable: true,
    })
    over.abort(new Error('the manager is ending'))
    expect((await first).order).toBeNull()
  })

  it('hands commands over as they are counted, and tells a cancellation once', async () => {
    const { agent, known } = await current('commands')
    const queue = ['cmd_1', 'cmd_2', 'cmd_3']
    const cancel: string[] = []
    const commands: CommandHandover = {
      waiting: async () => new Map([[agent.deployment, { queued: queue.length, cancel: [...cancel] }]]),
      takeCommands: async (_, { room }) =>
        queue
          .splice(0, room)
          .map((id) => ({ id, worker: 'api', version: null, command: 'ping', input: {}, attempt: 1, deadline: 0 })),
      acceptUpdates: async () => {},
    }
    const { tokens, hub: own } = createAgents({ ...options(), commands })
    const { deployment, name, project, session } = tokens.read(agent.token, world.manager.clock.now())
    const principal = { kind: 'agent' as const, token: 't', name, project, deployment, deploymentName: name, session }
    const signal = new AbortController().signal
    const sync = (commandRoom: number, wait = 0) => own.sync(principal, { known, wait, commandRoom }, signal)
    await sync(0)
    await own.lookForCommands()
    expect((await sync(0)).commands).toEqual([])
    expect((await sync(2)).commands.map((one) => one.id)).toEqual(['cmd_1', 'cmd_2'])
    expect((await sync(2)).commands.map((one) => one.id)).toEqual(['cmd_3'])
    expect((await sync(2)).commands).toEqual([])
    const waiting = sync(1, 100)
    await held(1, own)
    cancel.push('cmd_1')
    await own.lookForCommands()
    expect((await waiting).cancel).toEqual(['cmd_1'])
    const again = sync(1, 100)
    await held(1, own)
    await own.lookForCommands()
    expect(own.counts.waiting).toBe(1)
    // Counted, and gone when it is to be taken: another call of this agent was faster. It goes on waiting.
    queue.push('cmd_3b')
    const counted = own.lookForCommands()
    queue.pop()
    await counted
    await held(1, own)
    queue.push('cmd_4')
    await own.lookForCommands()
    expect((await again).commands.map((one) => one.id)).toEqual(['cmd_4'])
  })
})
