import { type AuditLink, agentChain, genesis, hashOf } from '@landfall/contract'
import type { DeploymentRef } from '@landfall/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linkOf } from '../../packages/manager/src/agents/report/agent-link.ts'
import { AgentWorld, until } from '../harness/agent-world.ts'
import { runningIn } from '../harness/environments.ts'
import { stopEnvironment } from '../harness/stop-environment.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
})
afterAll(() => world.stop())

const site = () => world.site()
const onTarget = (name: string, version: string) =>
  until(
    () => world.view(name),
    ({ phase, actual, target, generation }) =>
      phase === 'running' &&
      actual?.version === version &&
      target?.version === version &&
      generation.observed === generation.requested,
  )

/** All of a deployment's chain in the manager, oldest first. */
async function chainOf(name: string): Promise<AuditLink[]> {
  const links: AuditLink[] = []
  let cursor: string | undefined
  do {
    const page = await world.client.listDeploymentAudit({
      params: world.of(name),
      query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) },
    })
    links.push(...(page.items as AuditLink[]))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return links.reverse()
}

describe('a database restored from before the newest release', () => {
  it('and agents that lived on become one truth again, with the audit whole and its gap named', {
    timeout: 240_000,
  }, async () => {
    const setup = await world.deploy('one')
    await world.publish('1.0.0')
    await world.tell('one', '1.0.0')
    const directory = site()
    let agent = await world.agent({ directory, setup })
    await onTarget('one', '1.0.0')
    const before = await agent.status()
    const file = await world.backup('before.lfbackup')
    const backedUp = (await chainOf('one')).length

    // What is lost: a release, an order with a higher number, sessions, a piece of each audit chain.
    const second = await world.publish('2.0.0')
    await world.tell('one', '2.0.0')
    await onTarget('one', '2.0.0')
    await agent.stop()
    agent = await world.agent({ directory, setup: null })
    await onTarget('one', '2.0.0')
    const lost = (await world.view('one')).generation.requested

    await world.restore(file)
    await onTarget('one', '1.0.0')
    const status = await until(
      () => agent.status(),
      ({ state, explanation, sync }) =>
        state?.phase === 'running' && explanation?.onTarget === true && sync?.error === null,
    )
    const view = await world.view('one')
    expect(status.order?.generation).toBe(view.generation.requested)
    expect(view.generation.requested).toBeGreaterThan(lost)
    expect(status.state?.stable?.digest).toBe(before.state?.stable?.digest)
    expect(await answerOf(agent)).toBe('1.0.0 secret-of-one')
    expect(status.problems).toEqual([])

    // The vendor's chain says where it was put back; the agent's is whole in it, what happened in between included.
    const verified = await world.client.verifyAudit({ params: world.of('one') })
    expect(verified).toMatchObject({ ok: true })
    const copied = await until(
      async () => (await chainOf('one')).flatMap((entry) => linkOf(entry) ?? []),
      (links) => links.filter(({ type }) => type === 'order.taken').length >= 3,
    )
    let previous = genesis(agentChain(setup.deployment.id))
    for (const [index, link] of copied.entries()) {
      expect(link).toMatchObject({ number: index + 1, previous })
      expect(hashOf(link)).toBe(link.hash)
      previous = link.hash
    }
    const restored = (await chainOf('one')).filter(({ type }) => type === 'database.restored')
    expect(restored).toHaveLength(1)
    expect(restored[0]?.message).toContain('The database was restored from the backup of')
    expect(restored[0]?.number).toBeLessThanOrEqual(backedUp + 5)

    // The vendor's CI still has the release: handed in once more, it is the same one.
    await world.publishAgain(second)
    await world.tell('one', '2.0.0')
    await onTarget('one', '2.0.0')
    expect(await answerOf(agent)).toBe('2.0.0 secret-of-one')

    // A second restore of the same backup: what the first one gave out is not given again.
    const first = (await world.view('one')).generation.requested
    await world.restore(file)
    await onTarget('one', '1.0.0')
    expect((await world.view('one')).generation.requested).toBeGreaterThan(first)
    expect(await answerOf(agent)).toBe('1.0.0 secret-of-one')
  })

  it('finds what the manager’s own runner did after it, and brings it to what is asked', {
    timeout: 120_000,
  }, async () => {
    const pushed = await world.client.createDeployment({
      params: { project: 'shop' },
      body: { name: 'pushed', platform: 'local', model: 'push', setup: true, secrets: { token: 'secret-of-pushed' } },
    })
    await world.publish('3.0.0')
    await world.tell('pushed', '3.0.0')
    await onTarget('pushed', '3.0.0')
    const file = await world.backup('push.lfbackup')
    await world.publish('4.0.0')
    await world.tell('pushed', '4.0.0')
    await onTarget('pushed', '4.0.0')
    expect(await (await fetch(await pushedAddress())).text()).toBe('4.0.0 secret-of-pushed')
    await world.restore(file)
    await onTarget('pushed', '3.0.0')
    const after = await until(
      async () => (await fetch(await pushedAddress())).text(),
      (text) => text.startsWith('3.0.0'),
    )
    expect(after).toBe('3.0.0 secret-of-pushed')
    // The version that this database never heard of is not left running.
    const { environment } = await world.view('pushed')
    await until(
      () => runningIn(String(environment.directory)),
      ({ workers }) => workers.length === 1,
    )
    await stopEnvironment({ ...pushed, environment } as unknown as DeploymentRef)
  })
})

async function answerOf(agent: Awaited<ReturnType<AgentWorld['agent']>>): Promise<string> {
  const { state } = await agent.status()
  return (await fetch(state?.workers.api?.url ?? '')).text()
}

async function pushedAddress(): Promise<string> {
  const { workers } = await world.view('pushed')
  return workers.find(({ worker }) => worker === 'api')?.url ?? ''
}
