import { mkdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'
import { forwardProxy, privateFront, reverseProxy, type TestProxy } from '../harness/proxies.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
  await world.publish('1.0.0')
})
afterAll(() => world.stop())

const between: TestProxy[] = []
afterEach(async () => {
  for (const proxy of between.splice(0)) await proxy.stop()
})
const placed = <T extends TestProxy>(proxy: T): T => {
  between.push(proxy)
  return proxy
}

/** A deployment whose agent reaches the manager at another address. */
async function deployed(name: string, url: string) {
  await world.client.createDeployment({
    params: { project: 'shop' },
    body: { name, platform: 'local', model: 'pull', secrets: { token: 'x' } },
  })
  return world.setUp(name, { url })
}
const mode = (wanted: string) => (status: { sync: { mode: string } | null }) => status.sync?.mode === wanted

describe('what lies between an agent and its manager', () => {
  it('a proxy that cuts held requests: the agent polls, and is told no later than an interval after', {
    timeout: 120_000,
  }, async () => {
    const proxy = placed(await reverseProxy(() => world.manager.url, { cutAfterMs: 1_000 }))
    const setup = await deployed('cut', proxy.url)
    const agent = await world.agent({ directory: world.site(), setup })
    await until(() => agent.status(), mode('poll'))
    await world.tell('cut', '1.0.0')
    const status = await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running',
    )
    expect(status.sync?.mode).toBe('poll')
    expect(status.sync?.error).toBeNull()
    await agent.stop()
  })

  it('a forward proxy with a password: everything goes through it, and a wrong one is said without being shown', {
    timeout: 120_000,
  }, async () => {
    const proxy = placed(await forwardProxy('site', 's3cret&word'))
    const setup = await deployed('forward', world.manager.url)
    const directory = world.site()
    const address = (password: string) => proxy.url.replace('//', `//site:${encodeURIComponent(password)}@`)
    const refused = await world.agent({ directory, setup, sync: { env: { HTTP_PROXY: address('wrong') } } })
    const { sync } = await until(() => refused.status(), mode('offline'))
    expect(sync?.error?.message).toContain('407')
    expect(sync?.error?.message).not.toContain('wrong')
    expect(proxy.seen).toEqual([])
    await refused.stop()
    const agent = await world.agent({ directory, sync: { env: { HTTP_PROXY: address('s3cret&word') } } })
    await until(() => agent.status(), mode('long-poll'))
    await world.tell('forward', '1.0.0')
    await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running',
    )
    expect(new Set(proxy.seen)).toEqual(new Set([`127.0.0.1:${world.port}`]))
    await agent.stop()
    // Named in NO_PROXY, it is left out.
    const before = proxy.seen.length
    const env = { HTTP_PROXY: address('s3cret&word'), NO_PROXY: '127.0.0.1' }
    const direct = await world.agent({ directory, sync: { env } })
    await until(() => direct.status(), mode('long-poll'))
    expect(proxy.seen.length).toBe(before)
    await direct.stop()
  })

  it('a private authority: trusted where its file is given, refused where not; also through a proxy', {
    timeout: 120_000,
  }, async () => {
    const files = world.site()
    mkdirSync(files)
    const front = placed(await privateFront(files, () => world.manager.url))
    const setup = await deployed('private', front.url)
    const directory = world.site()
    const strange = await world.agent({ directory, setup })
    const { sync } = await until(() => strange.status(), mode('offline'))
    expect(sync?.error?.message).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|CERT/)
    expect(front.seen).toEqual([])
    await strange.stop()
    const agent = await world.agent({ directory, sync: { caFile: front.ca } })
    await until(() => agent.status(), mode('long-poll'))
    await agent.stop()
    const proxy = placed(await forwardProxy('a', 'b'))
    const refused = await world.agent({
      directory,
      sync: { caFile: front.ca, proxy: proxy.url.replace('//', '//a:wrong@') },
    })
    const outside = await until(() => refused.status(), mode('offline'))
    expect(outside.sync?.error).toMatchObject({ code: 'E_UNREACHABLE', message: expect.stringContaining('407') })
    expect(proxy.seen).toEqual([])
    await refused.stop()
    const through = await world.agent({
      directory,
      sync: { caFile: front.ca, proxy: proxy.url.replace('//', '//a:b@') },
    })
    await until(() => through.status(), mode('long-poll'))
    expect(proxy.seen.length).toBeGreaterThan(0)
    await through.stop()
    await expect(world.agent({ directory, sync: { caFile: `${files}/none.pem` } })).rejects.toMatchObject({
      code: 'E_SYNC_CA',
    })
    // A start that failed leaves the directory free.
    const again = await world.agent({ directory, sync: { caFile: front.ca } })
    await until(() => again.status(), mode('long-poll'))
    await again.stop()
  })

  it('answers that are lost: enrolment, session and reports come through all the same, each once', {
    timeout: 120_000,
  }, async () => {
    const lost = new Map<string, number>()
    const proxy = placed(
      await reverseProxy(() => world.manager.url, {
        loseAnswer: ({ url = '' }) => {
          lost.set(url, (lost.get(url) ?? 0) + 1)
          return (lost.get(url) ?? 0) <= 2
        },
      }),
    )
    const setup = await deployed('lossy', proxy.url)
    const agent = await world.agent({ directory: world.site(), setup, random: { next: () => 0.1 } })
    await until(() => agent.status(), mode('long-poll'))
    expect([...lost.keys()]).toEqual(
      expect.arrayContaining(['/api/agent/enrolment', '/api/agent/session', '/api/agent/sync']),
    )
    const view = await world.client.getAgent({ params: world.of('lossy') })
    expect(view.session).toBe(1)
    await agent.stop()
  })

  it('a stranger that answers in its place is an outage, not a refusal', { timeout: 120_000 }, async () => {
    let portal = true
    const proxy = placed(
      await reverseProxy(() => world.manager.url, {
        answer: () => (portal ? { status: 403, body: '<html>Sign in to the network</html>' } : null),
      }),
    )
    const setup = await deployed('captive', proxy.url)
    const agent = await world.agent({ directory: world.site(), setup, random: { next: () => 0.1 } })
    const { sync } = await until(() => agent.status(), mode('offline'))
    expect(sync?.error?.code).toBe('E_UNEXPECTED_ANSWER')
    portal = false
    await until(() => agent.status(), mode('long-poll'))
    await agent.stop()
  })

  it('a download that is cut off goes on where it was', { timeout: 120_000 }, async () => {
    await world.publish('1.1.0', { ballast: 3_000_000 })
    const ranges: string[] = []
    const proxy = placed(
      await reverseProxy(() => world.manager.url, {
        cutAfterBytes: ({ url = '', headers }) => {
          if (!url.includes('/blobs/')) return null
          ranges.push(headers.range ?? '')
          return ranges.length <= 2 ? 1_000_000 : null
        },
      }),
    )
    const setup = await deployed('big', proxy.url)
    await world.tell('big', '1.1.0')
    const agent = await world.agent({ directory: world.site(), setup, random: { next: () => 0.1 } })
    await until(
      () => agent.status(),
      ({ state }) => state?.phase === 'running',
    )
    const from = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0))
    expect(from).toHaveLength(3)
    expect(from[0]).toBe(0)
    expect(from[1]).toBeGreaterThan(0)
    expect(from[2]).toBeGreaterThan(from[1] ?? 0)
    await agent.stop()
  })
})
