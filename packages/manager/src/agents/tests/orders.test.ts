import { createHash } from 'node:crypto'
import { order as orderSchema } from '@landfall/contract'
import { digestOf } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { codeOf, createWorld, type World } from './world.ts'

let server: TestServer
let world: World
let first: Awaited<ReturnType<World['publish']>>
let second: Awaited<ReturnType<World['publish']>>
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
  first = await world.publish('1.0.0', 1)
  second = await world.publish('1.1.0', 2)
})
afterAll(() => server.stop())

describe('an order', () => {
  it('holds all that the engine needs, secrets sealed to this agent alone', async () => {
    const agent = await world.running('whole', { inputs: { seats: 7 } })
    await world.tell('whole', '1.0.0')
    const { order } = await agent.sync()
    expect(orderSchema.safeParse(order).success).toBe(true)
    expect(order?.target?.config).toBe(digestOf(order?.config))
    expect(order?.config?.inputs).toEqual({ region: 'eu', seats: 7 })
    expect(JSON.stringify(order)).not.toContain('sk_whole')
    const [secret] = order?.secrets ?? []
    const context = `secret:${agent.deployment}:stripe-key:1`
    expect(agent.open(secret?.sealed ?? '', context)).toBe('sk_whole')
    expect(() => agent.open(secret?.sealed ?? '', `${context}0`)).toThrow()
    const other = await world.running('other')
    expect(() => other.open(secret?.sealed ?? '', context)).toThrow()
  })

  it('carries controls and the portal’s settings', async () => {
    const agent = await world.running('carries', { customer: { updates: 'approval' } })
    await world.tell('carries', '1.0.0')
    await world.admin.controlDeployment({ params: world.of('carries'), body: { kind: 'pause', reason: 'Lunch' } })
    const { order } = await agent.sync()
    expect(order?.customer.updates).toBe('approval')
    expect(order?.controls).toMatchObject([{ kind: 'pause', reason: 'Lunch', by: 'admin@example.com' }])
  })
})

describe('what a bundle takes along', () => {
  const bundle = (name: string, body: { release?: string; force?: boolean } = {}) =>
    world.ci.createBundleOrder({ params: world.of(name), body })

  it('is the order and the keys; a release that is named is told first, once', async () => {
    await world.create('dark', { model: 'airgapped' })
    const agent = await world.agent('dark')
    await agent.enrol()
    const made = await bundle('dark', { release: '1.0.0' })
    expect(made.order.target?.release).toBe(first.release)
    expect(made.keyset).toMatchObject({ version: 1, rotations: [] })
    const [secret] = made.order.secrets
    expect(agent.open(secret?.sealed ?? '', `secret:${agent.deployment}:stripe-key:1`)).toBe('sk_dark')
    const again = await bundle('dark', { release: '1.0.0' })
    expect(again.order.generation).toBe(made.order.generation)
    expect((await bundle('dark')).order.generation).toBe(made.order.generation)
    const told = (await world.audit('dark')).filter((entry) => entry.type === 'deployment.told')
    expect(told).toHaveLength(1)
    expect(told[0]?.data).toMatchObject({ cause: 'bundle' })
  })

  it('needs an enrolled agent where there are secrets, and is not made for push', async () => {
    await world.create('early', { model: 'airgapped' })
    expect(await codeOf(bundle('early', { release: '1.0.0' }))).toBe('E_AGENT_NOT_ENROLLED')
    // Nothing was told either.
    expect((await world.admin.getDeployment({ params: world.of('early') })).target).toBeNull()
    expect((await bundle('early')).order.target).toBeNull()
    await world.create('pushed', { model: 'push' })
    expect(await codeOf(bundle('pushed'))).toBe('E_MODEL')
    expect(await codeOf(bundle('early', { release: '9.9.9' }))).toBe('E_NOT_FOUND')
  })

  it('does not bring back what went wrong, unless somebody says so; then it is tried again', async () => {
    await world.create('back', { model: 'airgapped' })
    const agent = await world.agent('back')
    await agent.enrol()
    const { order } = await bundle('back', { release: '1.0.0' })
    const rejected = [{ target: order.target?.digest ?? '', code: 'WORSE', message: 'Worse', at: 0 }]
    const report = agent.report({ state: { phase: 'failed', rejected } })
    await world.manager.services.agents.takeReport(agent.deployment, report, 'export')
    expect(await codeOf(bundle('back', { release: '1.0.0' }))).toBe('E_CONFLICT')
    const forced = await bundle('back', { release: '1.0.0', force: true })
    expect(forced.order.generation).toBeGreaterThan(order.generation)
    expect(forced.order.controls.map((control) => control.kind)).toEqual(['retry'])
    const state = {
      version: 1,
      phase: 'aborted',
      wave: 0,
      members: {},
      decisions: [],
      reason: { code: 'X', message: 'x', since: 0 },
    }
    await world.manager.db
      .updateTable('rollouts')
      .set({ state: JSON.stringify(state) })
      .where('release', '=', second.release)
      .execute()
    expect(await codeOf(bundle('back', { release: '1.1.0' }))).toBe('E_CONFLICT')
    await bundle('back', { release: '1.1.0', force: true })
  })
})

describe('what an agent may fetch', () => {
  it('is what its deployment was told: envelope, content from any byte on, keys', async () => {
    const agent = await world.running('fetches')
    await world.tell('fetches', '1.0.0')
    const { client } = agent
    expect(await client.getAgentRelease({ params: { digest: first.release } })).toEqual(first.envelope)
    const blob = await client.getAgentBlob({ params: { digest: first.digest } })
    expect(Buffer.from(await blob.arrayBuffer()).equals(Buffer.from(first.blob))).toBe(true)
    for (const from of [0, 1, first.blob.byteLength - 1]) {
      const part = await world.manager.call('GET', `/api/agent/blobs/${first.digest}`, {
        token: agent.token,
        headers: { range: `bytes=${from}-` },
      })
      expect(part.status).toBe(from === 0 ? 200 : 206)
      expect(Buffer.from(await part.arrayBuffer()).equals(Buffer.from(first.blob.subarray(from)))).toBe(true)
    }
    const behind = await world.manager.call('GET', `/api/agent/blobs/${first.digest}`, {
      token: agent.token,
      headers: { range: `bytes=${first.blob.byteLength}-` },
    })
    expect(behind.status).toBe(400)
    expect((await client.getAgentKeyset({})).version).toBe(1)
    // Told and not taken back: what it ran before stays there for it.
    await world.tell('fetches', '1.1.0')
    await client.getAgentRelease({ params: { digest: first.release } })
  })

  it('is nothing else of the project, whatever its reports say', async () => {
    // Its setup is the newest release's: another one, that nobody told it.
    const third = await world.vendor.release({ version: '0.9.0', sequence: 3 })
    await world.ci.putBlob({ params: { project: world.project, digest: third.digest }, body: third.blob })
    const made = await world.ci.createRelease({
      params: { project: world.project },
      body: { envelope: third.envelope, rollout: 'none' },
    })
    const agent = await world.running('curious', { setup: false })
    const target = { digest: third.digest, release: made.release.digest, config: third.digest }
    await agent.sync({ report: agent.report({ state: { phase: 'running', stable: target, history: [target] } }) })
    const { client } = agent
    expect(await codeOf(client.getAgentRelease({ params: { digest: made.release.digest } }))).toBe('E_NOT_FOUND')
    expect(await codeOf(client.getAgentBlob({ params: { digest: third.digest } }))).toBe('E_NOT_FOUND')
    const nothing = `sha256:${'0'.repeat(64)}`
    expect(await codeOf(client.getAgentBlob({ params: { digest: nothing } }))).toBe('E_NOT_FOUND')
  })

  it('goes on in the middle of content of many chunks', async () => {
    const bytes = Buffer.alloc(2_500_000)
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = (index * 31) % 251
    const code = bytes.toString('latin1')
    const release = await world.vendor.release({ version: '2.0.0', sequence: 4, code })
    await world.ci.putBlob({ params: { project: world.project, digest: release.digest }, body: release.blob })
    await world.ci.createRelease({ params: { project: world.project }, body: { envelope: release.envelope } })
    const agent = await world.running('large')
    await world.tell('large', '2.0.0')
    const from = 1_048_576 + 17
    const part = await world.manager.call('GET', `/api/agent/blobs/${release.digest}`, {
      token: agent.token,
      headers: { range: `bytes=${from}-` },
    })
    expect(part.headers.get('content-range')).toBe(
      `bytes ${from}-${release.blob.byteLength - 1}/${release.blob.byteLength}`,
    )
    const hash = createHash('sha256')
      .update(release.blob.subarray(0, from))
      .update(Buffer.from(await part.arrayBuffer()))
    expect(`sha256:${hash.digest('hex')}`).toBe(release.digest)
  })
})

describe('a token of a session', () => {
  it('opens nothing of another deployment', async () => {
    const agent = await world.running('own')
    await world.create('not-own')
    for (const [name, status] of [
      ['own', 200],
      ['not-own', 404],
    ] as const) {
      const response = await world.manager.call('GET', `/api/projects/acme/deployments/${name}`, { token: agent.token })
      expect(response.status, name).toBe(status)
    }
  })
})
