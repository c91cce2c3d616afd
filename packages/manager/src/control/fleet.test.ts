import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkpointKey } from '../audit/checkpoint-key.ts'
import { verifyChain } from '../audit/verify-chain.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import type { Control } from './control.ts'
import { nudgeRollout } from './fleet-loops.ts'
import { plan, testFleet } from './testing/fleet.ts'

let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>
const controls: Control[] = []

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  fleet = await testFleet(await server.database())
})
afterEach(async () => {
  await Promise.all(controls.splice(0).map((control) => control.stop()))
})

const start = (...given: Parameters<typeof fleet.start>) => {
  const control = fleet.start(...given)
  controls.push(control)
  return control
}
const allOn = (version: string) => async () => Object.values(await fleet.versions()).every((each) => each === version)
const wavesPlan = plan([
  { name: 'canary', groups: ['ring-1'], soak: '0s' },
  { name: 'all', share: 100, soak: '0s' },
])

async function fiveOn(version: string) {
  for (const id of ['a', 'b']) await fleet.deploy(id, { group: 'ring-1' })
  for (const id of ['c', 'd', 'e']) await fleet.deploy(id)
  const rollout = await fleet.rollOut(await fleet.release(version), wavesPlan)
  start()
  await fleet.until(allOn(version))
  await fleet.until(async () => (await fleet.phase(rollout)) === 'complete')
}

describe('a fleet', () => {
  it('takes a good release in waves, and a bad one is stopped in the first: reached ones return, the others never see it', async () => {
    await fiveOn('1.0.0')
    const good = await fleet.rollOut(await fleet.release('1.1.0'), wavesPlan)
    controls[0]?.wake('rollouts')
    await fleet.until(allOn('1.1.0'))
    await fleet.until(async () => (await fleet.phase(good)) === 'complete')

    fleet.platform.behaviour = (_, release) => (release === '1.2.0' ? { errorRate: 0.3 } : {})
    const badRelease = await fleet.release('1.2.0')
    const bad = await fleet.rollOut(badRelease, wavesPlan)
    controls[0]?.wake('rollouts')
    await fleet.until(async () => (await fleet.phase(bad)) === 'aborted')
    await fleet.until(allOn('1.1.0'))
    const told = await fleet.db.selectFrom('targets').select(['deployment', 'target']).execute()
    const sawIt = told.filter((row) => row.target.release === badRelease).map((row) => row.deployment)
    expect(new Set(sawIt)).toEqual(new Set(['a', 'b']))
    expect(fleet.platform.log.filter((line) => /[cde]-/.test(line) && line.includes('1.2.0'))).toEqual([])

    fleet.platform.behaviour = () => ({})
    await fleet.rollOut(await fleet.release('1.2.1'), wavesPlan)
    controls[0]?.wake('rollouts')
    await fleet.until(allOn('1.2.1'))
    const key = checkpointKey(fleet.keyring)
    for (const chain of ['a', 'c', 'project:shop']) expect((await verifyChain(fleet.db, chain, key)).ok).toBe(true)
  }, 300_000)

  it('brings those that are in flight, and those that come late, to the newest release', async () => {
    await fiveOn('1.0.0')
    // 1.1.0 never becomes ready: those that were told hang in flight, until 1.1.1 takes them over.
    fleet.platform.behaviour = (_, release) => (release === '1.1.0' ? { readyAfterMs: null } : {})
    const stuck = await fleet.rollOut(await fleet.release('1.1.0'), plan([{ name: 'all', share: 100, soak: '0s' }]))
    controls[0]?.wake('rollouts')
    await fleet.until(async () => Object.values(await fleet.versions()).every((each) => each === null))
    const newest = await fleet.release('1.1.1')
    await fleet.rollOut(newest)
    controls[0]?.wake('rollouts')
    expect(await fleet.phase(stuck)).toBe('superseded')
    await fleet.until(allOn('1.1.1'))
    // Created after the rollout was over, and nobody is told of it but by looking.
    await fleet.deploy('late', { setup: newest })
    await fleet.until(allOn('1.1.1'))
    expect(Object.keys(await fleet.versions())).toContain('late')
  }, 300_000)

  it('leaves a pinned deployment alone, and takes it along once it is unpinned', async () => {
    await fiveOn('1.0.0')
    await fleet.db.updateTable('deployments').set({ pinned: 'sha256:x' }).where('id', '=', 'e').execute()
    const rollout = await fleet.rollOut(await fleet.release('1.1.0'), wavesPlan)
    controls[0]?.wake('rollouts')
    await fleet.until(async () => (await fleet.phase(rollout)) === 'complete')
    expect((await fleet.versions()).e).toBe('1.0.0')
    await fleet.db.updateTable('deployments').set({ pinned: null }).where('id', '=', 'e').execute()
    await fleet.until(allOn('1.1.0'))
  }, 300_000)

  it('starts nobody under a freeze, goes on when it is lifted, and obeys pause, resume and abort', async () => {
    await fiveOn('1.0.0')
    const freeze = { id: 'frz_1', project: 'shop', reason: 'holidays', created_at: new Date(), created_by: 'test' }
    await fleet.db.insertInto('freezes').values(freeze).execute()
    const paused = plan([
      { name: 'first', groups: ['ring-1'], soak: '0s', pause: true },
      { name: 'all', share: 100, soak: '0s' },
    ])
    const rollout = await fleet.rollOut(await fleet.release('1.1.0'), paused)
    controls[0]?.wake('rollouts')
    const reason = async () =>
      (await fleet.db.selectFrom('rollouts').select('state').where('id', '=', rollout).executeTakeFirst())?.state
        ?.reason
    await fleet.until(async () => (await reason())?.code === 'frozen')
    expect(await allOn('1.0.0')()).toBe(true)
    await fleet.db.updateTable('freezes').set({ lifted_at: new Date(), lifted_by: 'test' }).execute()
    await nudgeRollout(fleet.db, rollout)
    await fleet.until(async () => (await fleet.phase(rollout)) === 'paused')
    expect(await fleet.versions()).toEqual({ a: '1.1.0', b: '1.1.0', c: '1.0.0', d: '1.0.0', e: '1.0.0' })
    const control = { rollout, id: 'ctl_1', kind: 'abort' as const, by: 'ada', at: new Date() }
    await fleet.db.insertInto('rollout_controls').values(control).execute()
    await nudgeRollout(fleet.db, rollout)
    await fleet.until(async () => (await fleet.phase(rollout)) === 'aborted')
    await fleet.until(allOn('1.0.0'))
  }, 300_000)

  it('is moved by two managers at once as by one', async () => {
    for (const id of ['a', 'b', 'c']) await fleet.deploy(id)
    await fleet.rollOut(await fleet.release('1.0.0'))
    start()
    start({ owner: 'manager-2' })
    await fleet.until(allOn('1.0.0'))
    await fleet.rollOut(await fleet.release('1.1.0'))
    controls[1]?.wake('rollouts')
    await fleet.until(allOn('1.1.0'))
    const told = await fleet.db.selectFrom('targets').select('deployment').execute()
    expect(told.length).toBe(6)
    expect([...fleet.platform.made.values()].every((times) => times === 1)).toBe(true)
  }, 300_000)

  it('gets there when every wake-up is lost', async () => {
    for (const id of ['a', 'b']) await fleet.deploy(id)
    const deaf = { wake: () => {}, on: () => () => {}, stop: async () => {} }
    start({ waker: deaf } as never)
    await fleet.rollOut(await fleet.release('1.0.0'))
    await fleet.until(allOn('1.0.0'))
  }, 300_000)

  it('sends one that had nothing before back to nothing', async () => {
    await fleet.deploy('a')
    fleet.platform.behaviour = () => ({ failing: { code: 'CRASH_LOOP', message: 'It crashes' } })
    const rollout = await fleet.rollOut(await fleet.release('1.0.0'))
    start()
    await fleet.until(async () => (await fleet.phase(rollout)) === 'aborted')
    await fleet.until(async () => {
      const row = await fleet.db.selectFrom('deployments').select('target').where('id', '=', 'a').executeTakeFirst()
      return row?.target === null
    })
  }, 300_000)
})

describe('a rollout that can not be moved', () => {
  it('does not keep the others from moving', async () => {
    for (const id of ['a', 'b']) await fleet.deploy(id)
    const channel = { project: 'shop', name: 'beta', plan: '{}', created_at: new Date() }
    await fleet.db.insertInto('channels').values(channel).execute()
    const good = await fleet.release('1.0.0')
    const broken = { id: 'rol_broken', project: 'shop', channel: 'beta', release: good, version: '1.0.0' }
    const plan = JSON.stringify({ waves: [{ name: 'all', soak: 'a while' }] })
    const row = { ...broken, plan, created_at: new Date(), created_by: 'test' }
    await fleet.db.insertInto('rollouts').values(row).execute()
    await fleet.rollOut(good)
    start()
    await fleet.until(allOn('1.0.0'))
    expect(fleet.warnings.some((warning) => warning.includes('not a duration'))).toBe(true)
  }, 300_000)
})
