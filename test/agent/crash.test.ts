import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AgentSetup } from '@landfall/contract'
import type { RolloutPlanInput } from '@landfall/stack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'
import { type Mischief, reverseProxy, type TestProxy } from '../harness/proxies.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
  await world.publish('1.0.0')
  await world.publish('2.0.0', { ballast: 3_000_000 })
  await world.publish('2.1.0', { rollout: slow })
})
const children = new Set<ChildProcess>()
const proxies: TestProxy[] = []
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const proxy of proxies.splice(0)) await proxy.stop()
})
afterAll(() => world.stop())

const slow: RolloutPlanInput = {
  strategy: 'canary',
  steps: [
    { share: 30, bake: '2s' },
    { share: 60, bake: '2s' },
  ],
}

/** Starts the agent in a process; `line`: resolves with the first line that fits. */
function child(directory: string, setup: AgentSetup | null) {
  const script = new URL('../harness/agent-child.ts', import.meta.url).pathname
  const text = setup ? JSON.stringify(setup) : ''
  const started = spawn(process.execPath, [script, directory, world.key.toString('hex'), text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(started)
  const lines: string[] = []
  let look = () => {}
  let rest = ''
  started.stdout.on('data', (chunk) => {
    const parts = `${rest}${String(chunk)}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    look()
  })
  return {
    line: (fits: RegExp) =>
      new Promise<string>((resolve) => {
        look = () => {
          const found = lines.find((line) => fits.test(line))
          if (found) resolve(found)
        }
        look()
      }),
    kill: async () => {
      started.kill('SIGKILL')
      if (started.exitCode === null && started.signalCode === null) await once(started, 'close')
      children.delete(started)
    },
  }
}

async function deployed(name: string, mischief: Mischief) {
  const proxy = await reverseProxy(() => world.manager.url, mischief)
  proxies.push(proxy)
  await world.client.createDeployment({
    params: { project: 'shop' },
    body: { name, platform: 'local', model: 'pull', secrets: { token: 'x' } },
  })
  return world.setUp(name, { url: proxy.url })
}

/** A signal that a test waits for. */
function moment() {
  let come = () => {}
  const came = new Promise<void>((resolve) => {
    come = resolve
  })
  return { come, came }
}
const arrives = (name: string, version: string) =>
  until(
    () => world.view(name),
    ({ phase, actual }) => phase === 'running' && actual?.version === version,
  )

describe('an agent that is killed', () => {
  it('while it enrols and while its session begins: the next one is the same agent', { timeout: 240_000 }, async () => {
    for (const route of ['enrolment', 'session']) {
      const name = `at-${route}`
      const asked = moment()
      let first = true
      const setup = await deployed(name, {
        loseAnswer: ({ url = '' }) => {
          if (!first || !url.endsWith(`/${route}`)) return false
          first = false
          asked.come()
          return true
        },
      })
      const directory = world.site()
      const killed = child(directory, setup)
      await asked.came
      await killed.kill()
      const next = child(directory, setup)
      await next.line(/long-poll/)
      const view = await world.client.getAgent({ params: world.of(name) })
      expect(view).toMatchObject({ enrolled: true, session: 1 })
      await next.kill()
    }
  })

  it('right after it took an order, and in the middle of a download: it goes on with both', {
    timeout: 240_000,
  }, async () => {
    const half = moment()
    const ranges: string[] = []
    const setup = await deployed('at-download', {
      cutAfterBytes: ({ url = '', headers }) => {
        if (!url.includes('/blobs/')) return null
        ranges.push(headers.range ?? '')
        half.come()
        return ranges.length === 1 ? 1_500_000 : null
      },
    })
    const directory = world.site()
    const order = child(directory, setup)
    await order.line(/long-poll/)
    await world.tell('at-download', '2.0.0')
    await order.line(/^true [1-9]/)
    await order.kill()
    const loading = child(directory, null)
    await half.came
    await loading.kill()
    const next = child(directory, null)
    await arrives('at-download', '2.0.0')
    await next.kill()
  })

  it('again and again in a rollout: it arrives, and what happened is one chain that the manager has whole', {
    timeout: 240_000,
  }, async () => {
    const setup = await deployed('at-rollout', {})
    const directory = world.site()
    await world.tell('at-rollout', '1.0.0')
    const first = child(directory, setup)
    await arrives('at-rollout', '1.0.0')
    await world.tell('at-rollout', '2.1.0')
    await first.line(/updating candidate/)
    await first.kill()
    for (let kills = 0; kills < 4; kills++) {
      const next = child(directory, null)
      await next.line(/candidate|running - /)
      await next.kill()
    }
    const last = child(directory, null)
    await arrives('at-rollout', '2.1.0')
    await last.kill()
    const agent = await world.agent({ directory })
    const own = await agent.verifyAudit()
    expect(own.ok).toBe(true)
    const { links } = await agent.audit(0, 500)
    await until(
      () => world.client.listDeploymentAudit({ params: world.of('at-rollout'), query: { limit: 200 } }),
      ({ items }) => links.every(({ message }) => items.some((item) => item.message === message)),
    )
    // Made once, however often it was begun.
    expect(links.filter(({ type }) => type === 'rollout.aborted')).toEqual([])
    expect((await agent.status()).problems).toEqual([])
    await agent.stop()
  })
})
