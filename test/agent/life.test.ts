import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentStatus } from '@landfall/agent'
import type { RolloutPlanInput } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'
import { stopEnvironment } from '../harness/stop-environment.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
  await world.publish('1.0.0')
  await world.publish('1.1.0', { rollout: canary })
  await world.publish('1.2.0', { rollout: canary, failEvery: 3 })
})
afterAll(() => world.stop())

const canary: RolloutPlanInput = {
  strategy: 'canary',
  steps: [{ share: 30, bake: '1s' }],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
}
const running = ({ state, explanation }: AgentStatus) => state?.phase === 'running' && explanation?.onTarget === true
const waits = (code: string) => (status: AgentStatus) => status.state?.reason.code === code

/** Name, size and content of every file. */
const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex')}`,
    )

/** Asks a worker all the time until `stop`; answers how often each status came. */
function traffic(url: string) {
  const over = new AbortController()
  const counts: Record<number, number> = {}
  const one = async () => {
    while (!over.signal.aborted) {
      const status = (await fetch(url).catch(() => null))?.status ?? 0
      counts[status] = (counts[status] ?? 0) + 1
      await sleep(5)
    }
  }
  const users = Promise.all([one(), one(), one()])
  return {
    stop: async () => {
      over.abort()
      await users
      return counts
    },
  }
}

describe('a site whose manager is away', () => {
  it('goes on with its rollout, takes a bad release back by itself, and tells all of it afterwards', {
    timeout: 240_000,
  }, async () => {
    const setup = await world.deploy('alone')
    await world.tell('alone', '1.0.0')
    const directory = world.site()
    const agent = await world.agent({ directory, setup, random: { next: () => 0.1 } })
    const first = await until(() => agent.status(), running)
    const users = traffic(first.state?.workers.api?.url ?? '')
    await world.tell('alone', '1.2.0')
    await until(
      () => agent.status(),
      ({ state }) => state?.candidate !== null && state?.phase === 'updating',
    )
    await world.manager.stop()
    await until(
      () => agent.status(),
      ({ sync }) => sync?.mode === 'offline',
    )
    const back = await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running' && state.rejected.length === 1,
    )
    expect(back.state?.stable?.digest).toBe(first.state?.stable?.digest)
    const counts = await users.stop()
    expect(counts[0] ?? 0).toBe(0)
    await agent.stop()
    // Everything is told by another process of the same agent.
    await world.restartManager()
    const again = await world.agent({ directory, random: { next: () => 0.1 } })
    const links = (await again.audit(0, 500)).links
    const aborted = links.find(({ type }) => type === 'rollout.aborted')
    expect(aborted, JSON.stringify(links.map(({ type, message }) => [type, message]))).toBeDefined()
    const told = await until(
      () => world.client.listDeploymentAudit({ params: world.of('alone'), query: { limit: 200 } }),
      ({ items }) => items.some(({ type }) => type === 'rollout.aborted'),
    )
    expect(told.items.find(({ type }) => type === 'rollout.aborted')?.message).toBe(aborted?.message)
    const { problems } = await again.status()
    expect(problems).toEqual([])
    await again.stop()
  })

  it('is restarted with no setup at hand, and a setup for something else is refused', {
    timeout: 120_000,
  }, async () => {
    const setup = await world.deploy('setups')
    const other = await world.deploy('other')
    const directory = world.site()
    await expect(world.agent({ directory })).rejects.toMatchObject({ code: 'E_AGENT_SETUP' })
    const agent = await world.agent({ directory, setup })
    await until(
      () => agent.status(),
      ({ enrolled }) => enrolled,
    )
    await agent.stop()
    await expect(world.agent({ directory, setup: other })).rejects.toMatchObject({ code: 'E_AGENT_SETUP_OTHER' })
    const swapped = {
      ...setup,
      root: other.root,
      deployment: { ...setup.deployment, environment: { directory: '/elsewhere' } },
    }
    await expect(world.agent({ directory, setup: swapped })).rejects.toMatchObject({ code: 'E_AGENT_SETUP_OTHER' })
    // The file left in place, its token used: nothing is enrolled anew.
    const same = await world.agent({ directory, setup })
    expect((await same.status()).enrolled).toBe(true)
    await until(
      () => same.status(),
      ({ sync }) => sync?.mode === 'long-poll',
    )
    const before = filesOf(directory)
    await expect(world.agent({ directory, setup })).rejects.toMatchObject({ code: 'E_AGENT_RUNNING' })
    await same.stop()
    expect(before.length).toBeGreaterThan(2)
  })

  it('with the wrong key it touches nothing', { timeout: 120_000 }, async () => {
    const setup = await world.deploy('keyed')
    const directory = world.site()
    const agent = await world.agent({ directory, setup })
    await until(
      () => agent.status(),
      ({ enrolled }) => enrolled,
    )
    await agent.stop()
    const before = filesOf(directory)
    await expect(world.agent({ directory, setup, key: Buffer.alloc(32, 1) })).rejects.toMatchObject({
      code: 'E_AGENT_KEY_WRONG',
    })
    expect(filesOf(directory)).toEqual(before)
  })
})

describe('a copied directory', () => {
  it('is refused and says so, does nothing else, and the one that is enrolled again goes on', {
    timeout: 240_000,
  }, async () => {
    const setup = await world.deploy('twin')
    const directory = world.site()
    const first = await world.agent({ directory, setup })
    await until(
      () => first.status(),
      ({ sync }) => sync?.mode === 'long-poll',
    )
    await first.stop()
    const copy = world.site()
    cpSync(directory, copy, { recursive: true })
    const clone = await world.agent({ directory: copy })
    await until(
      () => clone.status(),
      ({ sync }) => sync?.mode === 'long-poll',
    )
    await clone.stop()
    // The original comes second: of the two, whoever is not expected is refused.
    const original = await world.agent({ directory })
    const refused = await until(
      () => original.status(),
      ({ sync }) => sync?.mode === 'refused',
    )
    expect(refused.sync?.error?.code).toBe('E_AGENT_CLONED')
    expect(refused.problems.map(({ code }) => code)).toContain('SYNC_REFUSED')
    await original.stop()
    const anew = await world.setUp('twin', { replace: true })
    const again = await world.agent({ directory, setup: anew })
    await until(
      () => again.status(),
      ({ sync }) => sync?.mode === 'long-poll',
    )
    const late = await world.agent({ directory: copy })
    await until(
      () => late.status(),
      ({ sync }) => sync?.mode === 'refused',
    )
    await world.tell('twin', '1.0.0')
    await until(() => again.status(), running)
    await Promise.all([again.stop(), late.stop()])
  })
})

describe('what the customer says at the agent', () => {
  it('wins over the portal: paused holds, approval at the agent needs an answer there, for that target', {
    timeout: 240_000,
  }, async () => {
    const setup = await world.deploy('strict', { customer: { updates: 'approval', approvals: 'agent' } })
    await world.tell('strict', '1.0.0')
    const agent = await world.agent({ directory: world.site(), setup })
    // By the setup that an order names alone nothing is made either.
    const first = await until(
      () => agent.status(),
      (now) => now.waits.length > 0,
    )
    expect(first.state?.resources).toEqual({})
    const [asked] = first.waits
    expect(asked).toMatchObject({ gate: 'setup', version: '1.2.0' })
    await agent.answer({ gate: 'setup', target: asked?.target ?? '', status: 'pass', by: 'ops' })
    const status = await until(() => agent.status(), waits('WAITS_FOR_APPROVAL'))
    expect(status.local).toEqual(['approvals', 'updates'])
    const [wait] = status.waits
    expect(wait).toMatchObject({ gate: 'update', version: '1.0.0' })
    expect(wait?.difference.length).toBeGreaterThan(0)
    const wrong = { gate: 'update', target: `sha256:${'0'.repeat(64)}`, status: 'pass' as const, by: 'ops' }
    await expect(agent.answer(wrong)).rejects.toMatchObject({ code: 'E_NOTHING_WAITS' })
    await agent.answer({ gate: 'update', target: wait?.target ?? '', status: 'pass', by: 'ops' })
    await until(() => agent.status(), running)
    await agent.changeSettings({ updates: 'paused' }, 'ops')
    await world.tell('strict', '1.1.0')
    await until(() => agent.status(), waits('UPDATES_PAUSED'))
    expect((await agent.status()).customer.updates).toBe('paused')
    // Given back to the portal: what it says counts again.
    await agent.changeSettings({ updates: null }, 'ops')
    await until(() => agent.status(), waits('WAITS_FOR_APPROVAL'))
    const { links, ok } = await agent.audit(0, 500)
    expect(ok).toBe(true)
    expect(links.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['order.taken', 'answer.given', 'settings.changed']),
    )
    await agent.stop()
  })

  it('a clock that is a day off holds starts where windows are set, says so, and lets go when it is right', {
    timeout: 240_000,
  }, async () => {
    const always = { rrule: 'FREQ=DAILY', start: '2026-01-01T00:00', duration: '24h', timeZone: 'UTC' }
    const setup = await world.deploy('clock', { customer: { windows: [always] } })
    let off = 86_400_000
    const clock = {
      now: () => Date.now() + off,
      sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }),
    }
    await world.tell('clock', '1.0.0')
    const agent = await world.agent({ directory: world.site(), setup, clock })
    const held = await until(() => agent.status(), waits('UPDATES_PAUSED'))
    expect(held.problems.map(({ code }) => code)).toEqual(['CLOCK_OFF'])
    expect(held.problems[0]?.message).toContain('1440 minutes ahead')
    const seen = await until(
      () => world.client.getAgent({ params: world.of('clock') }),
      ({ clockOffsetMs }) => clockOffsetMs !== null,
    )
    expect(Math.round((seen.clockOffsetMs ?? 0) / 3_600_000)).toBe(24)
    off = 0
    await until(() => agent.status(), running)
    expect((await agent.status()).problems).toEqual([])
    await agent.stop()
  })
})

describe('a machine that is started anew', () => {
  it('has its workers back when the agent runs again, not when they were due to be looked at', {
    timeout: 120_000,
  }, async () => {
    const setup = await world.deploy('anew')
    await world.tell('anew', '1.0.0')
    const directory = world.site()
    const limits = { steadyMs: 3_600_000, driftMs: 3_600_000 }
    const agent = await world.agent({ directory, setup, limits })
    const { state } = await until(() => agent.status(), running)
    const url = state?.workers.api?.url ?? ''
    // Long enough to come to rest: its next look is an hour away then.
    await sleep(5_000)
    await agent.stop()
    // With the machine went the daemon and what it ran.
    await stopEnvironment({ ...setup.deployment, environment: { directory: join(directory, 'environment') } })
    await expect(fetch(url)).rejects.toThrow()
    await world.agent({ directory, limits })
    await until(
      () => fetch(url).then((answer) => answer.text()),
      (text) => text.startsWith('1.0.0'),
    )
  })
})

describe('the end', () => {
  it('an order to destroy is obeyed, and no secret lay plain in the directory', { timeout: 120_000 }, async () => {
    const setup = await world.deploy('gone')
    await world.tell('gone', '1.0.0')
    const directory = world.site()
    const agent = await world.agent({ directory, setup })
    await until(() => agent.status(), running)
    const plain = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
      const file = join(directory, name)
      return statSync(file).isFile() && readFileSync(file).includes('secret-of-gone')
    })
    expect(plain).toEqual([])
    await world.client.destroyDeployment({ params: world.of('gone') })
    await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'deleted',
    )
    await agent.stop()
  })
})
