import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { CommandOrder, CommandUpdate } from '@landfall/contract'
import type { DeploymentRef } from '@landfall/engine'
import { commandConformance } from '@landfall/engine/testing/commands'
import { openSealed } from '@landfall/release'
import { afterAll, describe, expect, it } from 'vitest'
import { AgentAudit } from '../audit/agent-audit.ts'
import { AgentState } from '../state/agent-state.ts'
import { filesOf, handClock, newKey, scratch } from '../testing/scratch.ts'
import { CommandQueue } from './command-queue.ts'
import { updatesOf, updatesTaken } from './command-updates.ts'

const files = scratch()
afterAll(() => files.remove())

const deployment: DeploymentRef = {
  ...{ id: 'd1', name: 'd1', project: 'shop', prefix: 'd1', platform: 'local', model: 'pull', environment: {} },
}
const reply = generateKeyPairSync('x25519')
const replyKey = reply.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const opened = (sealed: string, id: string, key: KeyObject = reply.privateKey) =>
  JSON.parse(openSealed(key, sealed, `result:d1:${id}`).toString()) as unknown

const written = (update: CommandUpdate | undefined) =>
  (update?.output ?? [])
    .map(({ number, chunk }) => openSealed(reply.privateKey, chunk, `output:d1:${update?.id}:${number}`).toString())
    .join('')

function open(directory = files.path(), key = newKey(), clock = handClock()) {
  const state = AgentState.open(directory, key)
  const audit = new AgentAudit(state)
  const queue = new CommandQueue({
    ...{ state, clock, replyKey, deployment: () => deployment },
    note: (event) => audit.append('d1', [event]),
  })
  const again = () => {
    state.close()
    return open(directory, key, clock)
  }
  const claim = async () => (await queue.claim('agent', 15_000, clock.now())) ?? expect.fail('nothing was due')
  return { directory, clock, state, audit, queue, again, claim, updates: () => updatesOf(queue.records) }
}

const order = (id: string, more: Partial<CommandOrder> = {}): CommandOrder => ({
  ...{ id, worker: 'api', version: null, command: 'reindex', input: { secret: 'hunter2' }, attempt: 1 },
  deadline: Date.UTC(2026, 10, 21) + 3_600_000,
  ...more,
})
const succeeded = (result: unknown) => ({ status: 'succeeded', result }) as const

commandConformance(
  'the agent',
  async () => {
    const { clock, queue } = open()
    return {
      store: queue,
      now: clock.now,
      advance: clock.advance,
      queue: (key, deadline) => queue.add({ ...order(`cmd_${key}`), deadline }).id,
      cancel: (id) => queue.cancel(id),
      sweep: () => queue.sweep(),
      look: (id) => {
        const { state, result } = queue.records.get(id) ?? expect.fail('it is gone')
        const { status, attempt, error } = state
        return { status, attempt, error: error?.code ?? null, result: result === null ? null : opened(result, id) }
      },
      output: (id) =>
        queue.records
          .pieces(id)
          .map(({ number, chunk }) => openSealed(reply.privateKey, chunk, `output:d1:${id}:${number}`).toString('utf8'))
          .join(''),
    }
  },
  { runs: 25 },
)

describe('an agent’s queue', () => {
  it('takes an order once, and begins at the attempt that the manager gave', async () => {
    const agent = open()
    for (let twice = 0; twice < 2; twice++) agent.queue.add(order('a', { attempt: 3 }))
    expect((await agent.claim()).attempt).toBe(3)
    expect(await agent.queue.claim('agent', 15_000, agent.clock.now())).toBeNull()
    expect(agent.queue.records.size).toBe(1)
  })

  it('goes on as the next attempt, with the same id, when it was killed in the middle', async () => {
    const before = open()
    before.queue.add(order('a'))
    const first = await before.claim()
    await before.queue.output(first, { number: 1, at: 1, chunk: 'so far\n' })
    const after = before.again()
    const second = await after.claim()
    expect(second).toMatchObject({ id: 'a', attempt: 2, input: { secret: 'hunter2' } })
    expect(await after.queue.written(second)).toEqual({ next: 2, chunks: 1, bytes: 7 })
    expect(await after.queue.finish(first, succeeded(1), after.clock.now())).toBe(false)
    expect(await after.queue.finish(second, succeeded({ n: 2 }), after.clock.now())).toBe(true)
    const [update] = after.again().updates()
    expect(update).toMatchObject({
      id: 'a',
      attempt: 2,
      status: 'succeeded',
      output: [{ number: 1 }],
    })
    expect(written(update)).toBe('so far\n')
    expect(opened(update?.result ?? '', 'a')).toEqual({ n: 2 })
  })

  it('tells the same until it was taken, then nothing; a late answer to an older telling takes nothing else away', async () => {
    const agent = open()
    agent.queue.add(order('a'))
    const held = await agent.claim()
    await agent.queue.output(held, { number: 1, at: 1, chunk: 'one' })
    const early = agent.updates()
    expect(early).toMatchObject([{ status: 'running', output: [{ number: 1 }] }])
    await agent.queue.output(held, { number: 2, at: 2, chunk: 'two' })
    await agent.queue.finish(held, succeeded(1), agent.clock.now())
    updatesTaken(agent.queue.records, early)
    const late = agent.updates()
    expect(late).toMatchObject([{ status: 'succeeded', output: [{ number: 2 }] }])
    expect(written(late[0])).toBe('two')
    expect(agent.updates()).toEqual(late)
    updatesTaken(agent.queue.records, late)
    updatesTaken(agent.queue.records, early)
    expect(agent.updates()).toEqual([])
    expect(agent.state.names('command-output/')).toEqual([])
    expect(agent.again().updates()).toEqual([])
  })

  it('that is given a command again which it has done tells its answer under the new attempt and does it no second time', async () => {
    const agent = open()
    agent.queue.add(order('a'))
    await agent.queue.finish(await agent.claim(), succeeded('done'), agent.clock.now())
    updatesTaken(agent.queue.records, agent.updates())
    agent.queue.add(order('a', { attempt: 2 }))
    expect(await agent.queue.claim('agent', 15_000, agent.clock.now())).toBeNull()
    const [update] = agent.updates()
    expect(update).toMatchObject({ attempt: 2, status: 'succeeded' })
    expect(opened(update?.result ?? '', 'a')).toBe('done')
  })

  it('keeps what goes in and comes out sealed, and its audit names neither', async () => {
    const agent = open()
    agent.queue.add(order('a'))
    const held = await agent.claim()
    await agent.queue.output(held, { number: 1, at: 1, chunk: 'hunter2' })
    await agent.queue.finish(held, succeeded('hunter2'), agent.clock.now())
    // What it writes too: reports lie in exports, and those on media that others carry.
    expect(JSON.stringify([agent.updates(), agent.audit.list('d1')])).not.toContain('hunter2')
    expect(written(agent.updates()[0])).toBe('hunter2')
    expect(agent.audit.list('d1').map((link) => link.type)).toEqual(['command.queued', 'command.succeeded'])
    for (const bytes of Object.values(filesOf(agent.directory))) {
      expect(bytes).not.toContain(Buffer.from('hunter2').toString('hex'))
    }
  })

  it('never begins one whose deadline has passed meanwhile, and tells so', () => {
    const agent = open()
    agent.queue.add(order('a', { deadline: agent.clock.now() + 10 }))
    agent.clock.advance(11)
    expect(agent.queue.sweep()).toBe(true)
    expect(agent.updates()).toMatchObject([{ status: 'expired', error: { code: 'E_COMMAND_DEADLINE' } }])
  })

  it('bounds one report; what is left goes with the next, an end never before its output', async () => {
    const agent = open()
    for (const id of ['a', 'b', 'c']) {
      agent.queue.add(order(id))
      const held = await agent.claim()
      await agent.queue.output(held, { number: 1, at: 1, chunk: 'x'.repeat(16_000) })
      await agent.queue.finish(held, succeeded('y'.repeat(1_000_000)), agent.clock.now())
    }
    const seen: string[] = []
    for (let reports = 0; agent.updates().length > 0 && reports < 10; reports++) {
      const updates = agent.updates()
      expect(JSON.stringify(updates).length).toBeLessThan(4_000_000)
      for (const { id, status, output } of updates) seen.push(`${id} ${status} ${output.length}`)
      updatesTaken(agent.queue.records, updates)
    }
    expect(seen.filter((each) => each.includes('succeeded')).length).toBe(3)
  })

  it('is full at a bound, and says so; what it knows is still answered', () => {
    const agent = open()
    agent.state.transaction(() => {
      for (let i = 0; i < 1_000; i++) agent.queue.add(order(`c${i}`))
    })
    expect(agent.queue.room()).toBe(0)
    expect(() => agent.queue.add(order('more'))).toThrow(expect.objectContaining({ code: 'E_COMMAND_QUEUE_FULL' }))
    expect(agent.queue.add(order('c1', { attempt: 2 })).knownAs).toBe(2)
  })
})
