import { LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestAgent } from '../../testing/agent.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { buildOrder, buildOrders } from '../order/build-orders.ts'
import { fillBoxes } from '../order/fill-boxes.ts'
import { createWorld, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
  world = await createWorld(server)
  await world.publish('1.0.0', 1)
  await world.publish('1.1.0', 2)
})
afterAll(() => server.stop())

const fill = () => fillBoxes(world.manager.db, world.manager.services.keyring, async () => {})
const order = (deployment: string) => buildOrder(world.manager.db, world.manager.services.keyring, deployment)
const boxOf = async (deployment: string) => (await order(deployment)).secrets[0]?.sealed ?? ''
const context = (deployment: string, version = 1) => `secret:${deployment}:stripe-key:${version}`
const stored = (deployment: string) =>
  world.manager.pool
    .query<{ name: string; version: number; seal_key: string; sealed: Buffer }>(
      'select name, version, seal_key, sealed from sealed_boxes where deployment = $1 order by name, version',
      [deployment],
    )
    .then(({ rows }) => rows)

/** An agent that is told a release whose secret is sealed to it. */
async function told(name: string) {
  const agent = await world.running(name)
  await world.tell(name, '1.0.0')
  return agent
}

describe('a box that is kept', () => {
  it('is made once for a secret and an agent, and is in every order after it, whatever the release', async () => {
    const agent = await told('kept')
    // Not kept yet: made for each order anew.
    expect(await boxOf(agent.deployment)).not.toBe(await boxOf(agent.deployment))
    expect(await fill()).toBeGreaterThan(0)
    expect(await fill()).toBe(0)
    const box = await boxOf(agent.deployment)
    expect(agent.open(box, context(agent.deployment))).toBe('sk_kept')
    await world.tell('kept', '1.1.0')
    expect(await boxOf(agent.deployment)).toBe(box)
  })

  it('is another for another value, and the one before stays for who goes back', async () => {
    const agent = await told('changed')
    await fill()
    const first = await boxOf(agent.deployment)
    const set = (value: string) =>
      world.admin.putConfig({ params: world.of('changed'), body: { secrets: { 'stripe-key': value } } })
    await set('sk_second')
    await world.tell('changed', '1.0.0')
    await fill()
    const second = await boxOf(agent.deployment)
    expect(agent.open(second, context(agent.deployment, 2))).toBe('sk_second')
    expect((await stored(agent.deployment)).map(({ version }) => version)).toEqual([1, 2])
    expect(second).not.toBe(first)
  })

  it('goes with its agent: one that takes its place gets its own', async () => {
    const agent = await told('replaced')
    await fill()
    const before = await boxOf(agent.deployment)
    const setup = await world.setUp('replaced', { replace: true })
    expect(await stored(agent.deployment)).toEqual([])
    await fill()
    expect(await stored(agent.deployment)).toEqual([])
    await expect(order(agent.deployment)).rejects.toMatchObject({ code: 'E_AGENT_NOT_ENROLLED' })
    const next = new TestAgent(world.manager.client, setup)
    await next.enrol()
    await fill()
    const box = await boxOf(agent.deployment)
    expect(box).not.toBe(before)
    expect(next.open(box, context(agent.deployment))).toBe('sk_replaced')
    expect(() => agent.open(box, context(agent.deployment))).toThrow()
  })

  it('of another key is never handed out, even where it is still there', async () => {
    const agent = await told('stale')
    await fill()
    const other = await world.running('stale-other')
    await world.manager.pool.query('update sealed_boxes set seal_key = $1 where deployment = $2', [
      other.keys.seal,
      agent.deployment,
    ])
    expect(agent.open(await boxOf(agent.deployment), context(agent.deployment))).toBe('sk_stale')
    expect(await fill()).toBeGreaterThan(0)
    expect((await stored(agent.deployment))[0]?.seal_key).toBe(agent.keys.seal)
  })

  it('that somebody else put into the database is not handed out', async () => {
    const agent = await told('forged')
    const other = await told('forged-other')
    await fill()
    const [theirs] = await stored(other.deployment)
    const forge = (sealed: Buffer | undefined) =>
      world.manager.pool.query('update sealed_boxes set sealed = $1 where deployment = $2', [sealed, agent.deployment])
    const [right] = await stored(agent.deployment)
    const changed = Buffer.from(right?.sealed ?? [])
    changed[60] = (changed[60] ?? 0) ^ 1
    for (const sealed of [theirs?.sealed, changed, Buffer.from('nothing')]) {
      await forge(sealed)
      expect(agent.open(await boxOf(agent.deployment), context(agent.deployment))).toBe('sk_forged')
    }
  })

  it('is not plain, nor the box itself, in the database', async () => {
    const agent = await told('plain')
    await fill()
    const box = Buffer.from(await boxOf(agent.deployment), 'base64')
    const [row] = await stored(agent.deployment)
    expect(row?.sealed.includes(box)).toBe(false)
    expect(() => agent.open(row?.sealed.toString('base64') ?? '', context(agent.deployment))).toThrow()
  })
})

describe('filling', () => {
  it('by several managers at once, and cut off in between, leaves boxes that open', async () => {
    const agents = []
    for (let index = 0; index < 12; index += 1) agents.push(await told(`race-${index}`))
    // One that dies after the first few: the others and the next pass do the rest.
    const dies = fillBoxes(world.manager.db, world.manager.services.keyring, async () => {
      throw new Error('killed')
    })
    await Promise.all([dies.catch(() => {}), fill(), fill(), fill()])
    await fill()
    for (const [index, agent] of agents.entries()) {
      expect((await stored(agent.deployment)).length).toBe(1)
      expect(agent.open(await boxOf(agent.deployment), context(agent.deployment))).toBe(`sk_race-${index}`)
    }
  })

  it('keeps nothing for an agent that is being replaced', async () => {
    const agent = await told('busy')
    const client = await world.manager.pool.connect()
    try {
      await client.query('begin')
      await client.query('update agents set seal_key = null where deployment = $1', [agent.deployment])
      // It does not wait for the row either.
      await fill()
      await client.query('commit')
    } finally {
      client.release()
    }
    await fill()
    expect(await stored(agent.deployment)).toEqual([])
  })

  it('passes a secret that does not open, whose order says so, and does the others', async () => {
    const broken = await told('a-broken')
    const whole = await told('b-whole')
    await world.manager.pool.query(`update secrets set sealed = '\\x00' where deployment = $1`, [broken.deployment])
    await fill()
    expect(await stored(broken.deployment)).toEqual([])
    expect((await stored(whole.deployment)).length).toBe(1)
    const { db, services } = world.manager
    const built = await buildOrders(db, services.keyring, [broken.deployment, whole.deployment])
    const refused = built.get(broken.deployment)
    expect(refused instanceof LandfallError && refused.code).toBe('E_SEAL_BROKEN')
    expect(built.get(whole.deployment)).toMatchObject({ deployment: { name: 'b-whole' } })
  })

  it('leaves out what was removed and who is gone, and goes on after a page', async () => {
    const gone = await told('gone')
    await world.manager.pool.query('update deployments set deleted_at = now() where id = $1', [gone.deployment])
    const removed = await told('removed')
    await world.manager.pool.query('update secrets set removed_at = now() where deployment = $1', [removed.deployment])
    const many = await told('many')
    await world.manager.pool.query(
      `insert into secrets (deployment, name, version, sealed, hash, set_by, set_at)
       select $1, 'key-' || n, 1, '\\x00', 'h', 'test', now() from generate_series(1, 600) n`,
      [many.deployment],
    )
    await fill()
    expect(await stored(gone.deployment)).toEqual([])
    expect(await stored(removed.deployment)).toEqual([])
    expect((await stored(many.deployment)).map(({ name }) => name)).toEqual(['stripe-key'])
  })
})
