import type { Order } from '@landfall/contract'
import { createRootKey, sealTo } from '@landfall/release'
import { customerSettings, digestOf } from '@landfall/stack'
import { afterAll, describe, expect, it } from 'vitest'
import { AgentAudit } from '../audit/agent-audit.ts'
import { openIdentity } from '../identity/identity.ts'
import { openSettings } from '../settings/settings.ts'
import { createAgentConfig } from '../sources/config.ts'
import { AgentState } from '../state/agent-state.ts'
import { createAgentStore } from '../store/agent-store.ts'
import { handClock, newKey, scratch } from '../testing/scratch.ts'
import { openOrders } from './orders.ts'

const files = scratch()
afterAll(() => files.remove())

const deployment: Order['deployment'] = {
  id: 'dep_1',
  name: 'site',
  project: 'shop',
  prefix: 'shop-site',
  platform: 'local',
  model: 'pull',
  environment: { directory: '/srv/site' },
}
const policy: Order['policy'] = { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] }

function open(agreed: Order['policy'] = policy) {
  const state = AgentState.open(files.path(), newKey())
  const clock = handClock()
  const audit = new AgentAudit(state)
  const settings = openSettings(state)
  const store = createAgentStore({ state, audit, clock, view: settings.view })
  const identity = openIdentity(state)
  const setup = {
    schema: 'landfall.dev/agent-setup/v1' as const,
    deployment,
    root: { publicKey: createRootKey().publicKey },
    reply: { seal: identity.keys.seal },
    sync: null,
    customer: customerSettings.parse({}),
    policy: agreed,
  }
  let applied = 0
  const orders = openOrders({
    ...{ state, store, audit, settings, setup, clock },
    environment: deployment.environment,
    onApplied: () => {
      applied += 1
    },
  })
  return { state, store, audit, identity, orders, applied: () => applied }
}

function order(generation: number, more: Partial<Order> = {}, version = generation): Order {
  const config = { inputs: { seats: generation }, secrets: { token: { version, hash: 'h' } }, bindings: {} }
  const pair = { release: digestOf(`release ${generation}`), config: digestOf(config) }
  return {
    schema: 'landfall.dev/order/v1',
    generation,
    deployment,
    operation: 'run',
    target: { digest: digestOf(pair), ...pair },
    setup: { release: pair.release },
    controls: [],
    answers: [],
    customer: customerSettings.parse({}),
    policy,
    config,
    secrets: [],
    ...more,
  }
}

describe('orders', () => {
  it('are taken once, in rising generations, whichever way they come', () => {
    const site = open()
    expect(site.orders.apply(order(3), 'sync')).toBe(true)
    expect(site.orders.apply(order(3), 'bundle')).toBe(false)
    expect(site.orders.apply(order(2), 'bundle')).toBe(false)
    expect(site.orders.current()?.generation).toBe(3)
    expect(site.store.look('dep_1')?.desired.generation).toBe(3)
    expect(site.applied()).toBe(1)
    expect(site.audit.list('dep_1').map(({ message }) => message)).toEqual(['Took order 3 (run) by sync'])
  })

  it.each([
    ['another deployment', { deployment: { ...deployment, id: 'dep_2' } }, 'E_ORDER_DEPLOYMENT'],
    ['another place', { deployment: { ...deployment, environment: { directory: '/' } } }, 'E_ORDER_DEPLOYMENT'],
    ['another prefix', { deployment: { ...deployment, prefix: 'other' } }, 'E_ORDER_DEPLOYMENT'],
    ['a config that is not its target’s', { config: { inputs: {}, secrets: {}, bindings: {} } }, 'E_ORDER_INVALID'],
    ['no config', { config: null }, 'E_ORDER_INVALID'],
    ['a field nobody knows', { more: 1 }, 'E_ORDER_INVALID'],
  ])('are refused for %s, and nothing is changed', (_, more, code) => {
    const site = open()
    site.orders.apply(order(1), 'sync')
    expect(() => site.orders.apply({ ...order(2), ...more }, 'sync')).toThrow(expect.objectContaining({ code }))
    expect(site.orders.current()?.generation).toBe(1)
    expect(site.store.look('dep_1')?.desired.generation).toBe(1)
  })

  it('trust no kind of key that was not shown at setup', () => {
    const site = open()
    site.orders.apply(order(1, { policy: { ...policy, trustedKeys: ['manager', 'vendor'] } }), 'sync')
    expect(site.store.look('dep_1')?.desired.policy.trustedKeys).toEqual(['vendor'])
  })

  it('let no rollout finish outside its window that was to be taken back, as shown at setup', () => {
    const site = open({ ...policy, windowClose: 'abort' })
    site.orders.apply(order(1), 'sync')
    expect(site.store.look('dep_1')?.desired.policy.windowClose).toBe('abort')
  })

  it('bring config and sealed secrets, which open for this agent and this use alone', async () => {
    const site = open()
    const sealed = sealTo(site.identity.keys.seal, 'hunter2', 'secret:dep_1:token:1')
    const wrong = sealTo(site.identity.keys.seal, 'hunter2', 'secret:dep_2:token:2')
    const first = order(1, { secrets: [{ name: 'token', version: 1, sealed }] })
    site.orders.apply(first, 'sync')
    const config = createAgentConfig(site.state, site.identity)
    const digest = first.target?.config ?? digestOf('')
    expect(await (await config.load(digest, deployment)).openSecret('token')).toBe('hunter2')
    const second = order(2, { secrets: [{ name: 'token', version: 2, sealed: wrong }] })
    site.orders.apply(second, 'sync')
    const next = await config.load(second.target?.config ?? digestOf(''), deployment)
    await expect(next.openSecret('token')).rejects.toMatchObject({ code: 'E_SEAL_BROKEN' })
    await expect(next.openSecret('toString')).rejects.toMatchObject({ code: 'E_SECRET_MISSING' })
    // Nothing runs on the first config any more: it is gone, with its secret.
    await expect(config.load(digest, deployment)).rejects.toMatchObject({ code: 'E_CONFIG_UNKNOWN' })
    expect(site.state.names('secret/')).toEqual(['secret/token/2'])
  })
})
