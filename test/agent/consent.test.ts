import { createClient, type Portal } from '@landfall/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, rests, until } from '../harness/agent-world.ts'

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
})
afterAll(() => world.stop(), 120_000)

describe('a customer with an agent, over the portal', () => {
  it('approves, revokes and grants; what they set at the agent wins', async () => {
    const setup = await world.deploy('eu', { customer: { updates: 'approval' } })
    const { token } = await world.client.createPortalLink({ params: world.of('eu'), body: { name: 'ann' } })
    const customer = createClient({ url: world.manager.url, token })
    const page = () => customer.getPortal({ params: world.of('eu') })
    const asked = (version: string) => (seen: Portal) => seen.requests.some((one) => one.version === version)
    const approve = async (version: string) => {
      const { requests } = await until(page, asked(version))
      const target = requests.find((one) => one.version === version)?.target ?? ''
      await customer.answerRequest({ params: world.of('eu'), body: { target, status: 'pass' } })
      return target
    }
    await world.publish('1.0.0')
    await world.client.setupDeployment({ params: world.of('eu'), body: { release: '1.0.0' } })
    const agent = await world.agent({ directory: world.site(), setup })
    await world.tell('eu', '1.0.0')
    const reason = async () => (await agent.status()).state?.reason.code
    await until(reason, (code) => code === 'WAITS_FOR_APPROVAL')
    const first = await approve('1.0.0')
    await until(() => agent.status(), rests('1.0.0'))

    // What was approved for one target lets no other in.
    await world.publish('1.1.0')
    await world.tell('eu', '1.1.0')
    await until(reason, (code) => code === 'WAITS_FOR_APPROVAL')
    await until(page, ({ deployment }) => deployment.reason.code === 'WAITS_FOR_APPROVAL')
    const again = customer.answerRequest({ params: world.of('eu'), body: { target: first, status: 'fail' } })
    await expect(again).rejects.toMatchObject({ code: 'E_TARGET_CHANGED' })

    // Revoked: approved as it is, nothing is done until access is granted.
    await customer.changeCustomerSettings({ params: world.of('eu'), body: { access: 'revoked' } })
    await until(reason, (code) => code === 'REVOKED_BY_CUSTOMER')
    await approve('1.1.0')
    await until(page, ({ deployment }) => deployment.phase === 'access-revoked')
    expect((await page()).running?.version).toBe('1.0.0')
    await customer.changeCustomerSettings({ params: world.of('eu'), body: { access: 'granted' } })
    await until(page, ({ running }) => running?.version === '1.1.0')

    // Set at the agent, it is the agent's to say.
    await agent.changeSettings({ updates: 'paused' }, 'bob')
    await until(page, ({ local }) => local.includes('updates'))
    expect((await page()).settings.updates).toBe('paused')
    const over = customer.changeCustomerSettings({ params: world.of('eu'), body: { updates: 'automatic' } })
    await expect(over).rejects.toMatchObject({ code: 'E_SETTING_AT_AGENT' })
    await world.publish('1.2.0')
    await world.tell('eu', '1.2.0')
    await until(reason, (code) => code === 'UPDATES_PAUSED')
    expect((await page()).running?.version).toBe('1.1.0')
  }, 240_000)
})
