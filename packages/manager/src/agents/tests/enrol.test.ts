import { createPublicKey } from 'node:crypto'
import { fingerprintOf } from '@landfall/release'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestAgent } from '../../testing/agent.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { codeOf, createWorld, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
})
afterAll(() => server.stop())

const days = (count: number) => world.manager.clock.advance(count * 86_400_000)

describe('the setup of an agent', () => {
  it('pins what the agent trusts, carries a token that is kept as a hash alone, and is audited', async () => {
    await world.create('set-up')
    const setup = await world.setUp('set-up')
    expect(setup.root.publicKey).toBe(world.vendor.root.publicKey)
    expect(setup.sync).toEqual({ url: 'http://landfall.test' })
    expect(setup.enrolment.token).toMatch(/^lf_enrol_[\w-]{43}$/)
    expect(Date.parse(setup.enrolment.expiresAt) - world.manager.clock.now()).toBe(7 * 86_400_000)
    const der = Buffer.from(setup.reply.seal, 'base64')
    expect(createPublicKey({ key: der, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('x25519')
    const row = await world.manager.db
      .selectFrom('agents')
      .selectAll()
      .where('deployment', '=', setup.deployment.id)
      .executeTakeFirstOrThrow()
    expect(JSON.stringify(row)).not.toContain(setup.enrolment.token)
    expect(row.token_hash).toHaveLength(32)
    const [entry] = await world.audit('set-up')
    expect(entry).toMatchObject({ type: 'agent.setup-made', actor: 'admin@example.com' })
    expect(JSON.stringify(await world.audit('set-up'))).not.toContain(setup.enrolment.token)
  })

  it('is not made for what the manager runs itself; without network it names no address', async () => {
    await world.create('pushed', { model: 'push' })
    expect(await codeOf(world.setUp('pushed'))).toBe('E_MODEL')
    await world.create('dark', { model: 'airgapped' })
    expect((await world.setUp('dark')).sync).toBeNull()
  })

  it('can name another address', async () => {
    await world.create('elsewhere')
    const body = { url: 'https://10.0.0.1:8443' }
    const setup = await world.admin.createAgentSetup({ params: world.of('elsewhere'), body })
    expect(setup.sync).toEqual(body)
  })
})

describe('enrolment', () => {
  it('binds the keys once; the same keys get the same answer, also when the token is over', async () => {
    await world.create('one')
    const agent = await world.agent('one')
    const first = await agent.enrol()
    expect(first.key).toBe(fingerprintOf(agent.keys.sign))
    expect(await agent.enrol()).toEqual(first)
    days(30)
    expect(await agent.enrol()).toEqual(first)
    const entries = (await world.audit('one')).filter((entry) => entry.type === 'agent.enrolled')
    expect(entries).toHaveLength(1)
    const other = new TestAgent(world.manager.client, agent.setup)
    expect(await codeOf(other.enrol())).toBe('E_AGENT_ENROLLED')
    expect((await world.admin.getAgent({ params: world.of('one') })).key).toBe(first.key)
  })

  it('refuses an unknown deployment, a wrong, an old and a superseded token in the same words', async () => {
    await world.create('two')
    const agent = await world.agent('two')
    const refusal = (call: Promise<unknown>) =>
      call.then(
        () => null,
        ({ code, message, hint }) => ({ code, message, hint }),
      )
    const wrong = await refusal(agent.enrol('lf_enrol_wrong'))
    expect(wrong).toMatchObject({ code: 'E_ENROLMENT_REFUSED' })
    const setup = { ...agent.setup, deployment: { ...agent.setup.deployment, id: 'dep_00000000000000000000' } }
    expect(await refusal(new TestAgent(world.manager.client, setup).enrol())).toEqual(wrong)
    const newer = await world.agent('two')
    expect(await refusal(agent.enrol())).toEqual(wrong)
    days(8)
    expect(await refusal(newer.enrol())).toEqual(wrong)
    const changed = { ...newer.enrolment(), keys: agent.keys }
    expect(await refusal(world.manager.client('').enrolAgent({ body: changed }))).toEqual(wrong)
  })

  it('takes keys of the right kinds alone', async () => {
    await world.create('kinds')
    const agent = await world.agent('kinds')
    const { sign, seal } = agent.keys
    Object.assign(agent.keys, { sign: seal, seal: sign })
    expect(await codeOf(agent.enrol())).toBe('E_INVALID_REQUEST')
  })

  it('slows down who guesses, and lets others in afterwards', async () => {
    await world.create('guessed')
    const agent = await world.agent('guessed')
    let last = ''
    for (let tries = 0; tries < 12 && last !== 'E_TOO_MANY_ATTEMPTS'; tries += 1)
      last = await codeOf(agent.enrol('lf_enrol_guess'))
    expect(last).toBe('E_TOO_MANY_ATTEMPTS')
    await world.create('neighbour')
    await (await world.agent('neighbour')).enrol()
    world.manager.clock.advance(3_600_000)
    await agent.enrol()
  })
})

describe('a replacement', () => {
  it('needs a word of its own, ends the session and the key before, and counts anew', async () => {
    const agent = await world.running('old')
    await agent.sync({
      report: agent.report({ audit: agent.happened({ type: 'deployment.arrived', message: 'Arrived' }) }),
    })
    expect(await codeOf(world.setUp('old'))).toBe('E_AGENT_ENROLLED')
    const setup = await world.setUp('old', { replace: true })
    expect(await codeOf(agent.sync())).toBe('E_SESSION_ENDED')
    expect(await codeOf(agent.begin())).toBe('E_SESSION_REFUSED')
    expect(await codeOf(agent.enrol())).toBe('E_ENROLMENT_REFUSED')
    const next = new TestAgent(world.manager.client, setup)
    await next.enrol()
    const session = await next.begin()
    expect(session.number).toBeGreaterThan(agent.previous)
    const answer = await next.sync()
    expect(answer.reported).toBe(0)
    expect(answer.audit.number).toBe(0)
    await next.sync({
      report: next.report({ audit: next.happened({ type: 'deployment.arrived', message: 'Arrived' }) }),
    })
    expect((await next.sync()).audit.number).toBe(1)
    const replaced = (await world.audit('old')).find((entry) => entry.type === 'agent.replaced')
    expect(replaced?.actor).toBe('admin@example.com')
  })
})
