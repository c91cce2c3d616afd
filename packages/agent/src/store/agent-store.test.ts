import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { agentChain, genesis, hashOf } from '@landfall/contract'
import { type Desired, initialState } from '@landfall/engine'
import { storeConformance } from '@landfall/engine/testing/conformance'
import { afterAll, describe, expect, it } from 'vitest'
import { AgentAudit } from '../audit/agent-audit.ts'
import { AgentState } from '../state/agent-state.ts'
import { handClock, newKey, scratch } from '../testing/scratch.ts'
import { createAgentStore } from './agent-store.ts'

const files = scratch()
afterAll(() => files.remove())

function open(directory = files.path(), key = newKey(), clock = handClock()) {
  const state = AgentState.open(directory, key)
  const audit = new AgentAudit(state)
  return { directory, key, clock, state, audit, store: createAgentStore({ state, audit, clock }) }
}

storeConformance(
  'the agent',
  async () => {
    const { clock, store, audit } = open()
    return {
      store,
      now: clock.now,
      advance: clock.advance,
      put: (desired) => {
        expect(store.put(desired)).toBe(true)
      },
      state: (id) => store.look(id)?.state ?? null,
      events: (id) => audit.list(id).map((link) => link.message),
    }
  },
  { runs: 20 },
)

const desired = (id: string, generation: number): Desired => ({
  generation,
  deployment: { id, name: id, project: 'shop', prefix: id, platform: 'local', model: 'pull', environment: {} },
  operation: 'run',
  target: null,
  setup: null,
  controls: [],
  customer: { updates: 'automatic', access: 'granted', windows: [] },
  answers: [],
  policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
})
const event = (message: string, data?: unknown) => ({ at: 1_000, type: 'test.done', message, data })

async function claimed(agent: ReturnType<typeof open>, owner: string) {
  const claim = await agent.store.claim(owner, 60_000)
  if (!claim) return expect.fail('nothing was due')
  return claim
}

describe('a restarted agent', () => {
  it('fences its predecessor at once, in every call, and goes on from what that one persisted', async () => {
    const before = open()
    before.store.put(desired('d1', 1))
    const { lease } = await claimed(before, 'old')
    await before.store.persist(lease, { ...initialState(0), sequence: 7 }, [event('old one')])
    const after = open(before.directory, before.key, before.clock)
    const stale = { code: 'E_STALE_EPOCH' }
    const calls = [
      () => before.store.persist(lease, { ...initialState(0), sequence: 8 }, [event('too late')]),
      () => before.store.renew(lease, 1_000),
      () => before.store.desired(lease),
      () => before.store.release(lease, { observed: 1, wakeAt: null }),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject(stale)
    const next = await claimed(after, 'new')
    expect(next.lease.epoch).toBeGreaterThan(lease.epoch)
    expect(next.state?.sequence).toBe(7)
    await after.store.persist(next.lease, { ...initialState(0), sequence: 9 }, [event('new one')])
    for (const call of calls) await expect(call()).rejects.toMatchObject(stale)
    expect(after.audit.list('d1').map((link) => link.message)).toEqual(['old one', 'new one'])
    expect(after.audit.verify('d1')).toMatchObject({ ok: true, entries: 2 })
  })

  it('takes no generation that is not newer, and keeps when to wake up', async () => {
    const before = open()
    expect(before.store.put(desired('d1', 3))).toBe(true)
    expect(before.store.put(desired('d1', 3))).toBe(false)
    expect(before.store.put(desired('d1', 2))).toBe(false)
    const { lease } = await claimed(before, 'm')
    await before.store.release(lease, { observed: 3, wakeAt: before.clock.now() + 5_000 })
    before.state.close()
    const after = open(before.directory, before.key, before.clock)
    expect(after.store.look('d1')).toMatchObject({ observed: 3, desired: { generation: 3 } })
    expect(await after.store.claim('m', 1_000)).toBeNull()
    after.clock.advance(5_000)
    expect((await claimed(after, 'm')).lease.deployment).toBe('d1')
    expect(after.store.look('none')).toBeNull()
    expect(await after.store.claim('m', 1_000, 'none')).toBeNull()
  })

  it('takes what waits longest first', async () => {
    const agent = open()
    for (const id of ['c', 'a', 'b']) {
      agent.store.put(desired(id, 1))
      agent.clock.advance(10)
    }
    const order: string[] = []
    for (let i = 0; i < 3; i++) order.push((await claimed(agent, 'm')).lease.deployment)
    expect(order).toEqual(['c', 'a', 'b'])
  })
})

describe('the audit', () => {
  const append = (agent: ReturnType<typeof open>, count: number) =>
    agent.audit.append(
      'd1',
      Array.from({ length: count }, (_, i) => ({
        ...event(`${i + 1}`, { i, bad: '\0', none: undefined }),
        actor: 'x',
      })),
    )

  it('is a chain by the rule of the contract, as the manager reckons it', () => {
    const agent = open()
    append(agent, 3)
    append(agent, 2)
    let previous = genesis(agentChain('d1'))
    for (const { hash, ...content } of agent.audit.list('d1')) {
      expect(content.previous).toBe(previous)
      expect(hash).toBe(hashOf(content))
      previous = hash
    }
    expect(agent.audit.head('d1')).toEqual({ number: 5, hash: previous })
    expect(agent.audit.list('d1', 3, 1).map((link) => link.number)).toEqual([4])
  })

  it('has no link of a transaction that failed', async () => {
    const agent = open()
    append(agent, 1)
    const work = () => {
      append(agent, 2)
      throw new Error('no')
    }
    expect(() => agent.state.transaction(work)).toThrow('no')
    expect(agent.audit.verify('d1')).toMatchObject({ ok: true, entries: 1 })
  })

  it.each([
    ['a link taken out', 'DELETE FROM records WHERE number = 2', 2],
    ['the end cut off', 'DELETE FROM records WHERE number > 3', 4],
    ['all taken away', 'DELETE FROM records', 1],
  ])('shows %s', (_, change, number) => {
    const agent = open()
    append(agent, 5)
    forge(agent.directory, change)
    expect(agent.audit.verify('d1')).toMatchObject({ ok: false, broken: { number } })
  })

  it('names a link that was changed or moved', () => {
    for (const change of [
      `UPDATE records SET sealed = zeroblob(length(sealed)) WHERE number = 2`,
      'UPDATE records SET sealed = (SELECT sealed FROM records WHERE number = 1) WHERE number = 2',
    ]) {
      const agent = open()
      append(agent, 3)
      forge(agent.directory, change)
      const named = { code: 'E_AGENT_STATE_TAMPERED', subject: 'state:audit/agent:d1#2' }
      expect(() => agent.audit.verify('d1')).toThrow(expect.objectContaining(named))
    }
  })

  function forge(directory: string, change: string): void {
    const db = new DatabaseSync(join(directory, 'state.db'))
    db.exec(change)
    db.close()
  }
})
