import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
})
afterAll(() => world.stop())

describe('an agent that pulls', () => {
  it('enrols, brings the release it is told, opens the sealed secret, and is seen by the vendor', {
    timeout: 120_000,
  }, async () => {
    const setup = await world.deploy('one')
    await world.publish('1.0.0')
    await world.tell('one', '1.0.0')
    const agent = await world.agent({ directory: world.site(), setup })
    const status = await until(
      () => agent.status(),
      ({ state, explanation }) => state?.phase === 'running' && explanation?.onTarget === true,
    )
    expect(status).toMatchObject({ enrolled: true, sync: { mode: 'long-poll', error: null }, problems: [] })
    const answer = await (await fetch(status.state?.workers.api?.url ?? '')).text()
    expect(answer).toBe('1.0.0 secret-of-one')
    const seen = await until(
      () => world.view('one'),
      ({ phase }) => phase === 'running',
    )
    expect(seen.phase).toBe('running')
  })
})
