import type { Portal } from '@landfall/contract'
import { exampleManifest } from '@landfall/engine/testing'
import type { CustomerSettings } from '@landfall/stack'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { changeCustomer } from '../../portal/change-customer.ts'
import { giveAnswer } from '../../portal/give-answer.ts'
import { portalView } from '../../portal/portal-view.ts'
import { lockDeployment } from '../../store/deployments/find-deployment.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import type { Control } from '../control.ts'
import { fastCanary, plan, testFleet } from '../testing/fleet.ts'

let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>
let control: Control | null = null

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  fleet = await testFleet(await server.database())
})
afterEach(async () => {
  await control?.stop()
  control = null
})

/** Opened years ago and not for years to come. */
const shut = [{ rrule: 'FREQ=YEARLY;COUNT=1', start: '2020-01-01T02:00', duration: '1h', timeZone: 'UTC' }]
const all = plan([{ name: 'all', share: 100, soak: '0s' }])

async function inDeployment<T>(
  id: string,
  act: (trx: Parameters<typeof lockDeployment>[0], row: Awaited<ReturnType<typeof lockDeployment>>) => Promise<T>,
): Promise<T> {
  const result = await fleet.db.transaction().execute(async (trx) => act(trx, await lockDeployment(trx, 'shop', id)))
  control?.wake('deployments')
  control?.wake('rollouts')
  return result
}
const set = (id: string, settings: Partial<CustomerSettings>) =>
  inDeployment(id, (trx, row) => changeCustomer(trx, row, settings, 'deployer:ann', Date.now()))
const answer = (id: string, status: 'pass' | 'fail', gate = 'update') =>
  inDeployment(id, (trx, row) => {
    const target = (gate === 'update' ? row.target : row.state?.candidate)?.digest ?? ''
    return giveAnswer(trx, row, { gate, target, status }, 'deployer:ann', Date.now())
  })
const page = (id: string): Promise<Portal> =>
  inDeployment(id, async (_, row) => row).then((row) => portalView(fleet.db, row, Date.now(), null))
/** Why a member does not count; undefined where it does. */
const excluded = async (rollout: string, id: string) => {
  const member = await fleet.db
    .selectFrom('rollout_members')
    .select(['status', 'reason_code'])
    .where('rollout', '=', rollout)
    .where('deployment', '=', id)
    .executeTakeFirst()
  return member?.status === 'excluded' ? member.reason_code : undefined
}
const reason = async (id: string) => (await inDeployment(id, async (_, row) => row)).state?.reason.code

/** All on 1.0.0, each then with its own settings. */
async function onFirst(settings: Record<string, Partial<CustomerSettings>>) {
  for (const id of Object.keys(settings)) await fleet.deploy(id)
  const first = await fleet.rollOut(await fleet.release('1.0.0'), all)
  control = fleet.start()
  await fleet.until(async () => (await fleet.phase(first)) === 'complete')
  for (const [id, given] of Object.entries(settings)) await set(id, given)
}

describe('a fleet of customers who decide', () => {
  it('counts those alone that may be updated; an approval lets exactly that one go on, and a refusal blocks nobody', async () => {
    await onFirst({
      auto: {},
      asked: { updates: 'approval' },
      other: { updates: 'approval' },
      no: { updates: 'approval' },
      paused: { updates: 'paused' },
      closed: { windows: shut },
      revoked: { access: 'revoked' },
    })
    const rollout = await fleet.rollOut(await fleet.release('1.1.0'), all)
    control?.wake('rollouts')
    // All that may be updated is one: with the others in the denominator, a minimum of 100% would never be reached.
    await fleet.until(async () => (await fleet.phase(rollout)) === 'complete')
    const before = { auto: '1.1.0', asked: '1.0.0', other: '1.0.0', no: '1.0.0', paused: '1.0.0', closed: '1.0.0' }
    expect(await fleet.versions()).toEqual({ ...before, revoked: null })
    for (const [id, code] of Object.entries({
      asked: 'awaiting-approval',
      no: 'awaiting-approval',
      paused: 'updates-paused',
      closed: 'outside-window',
      revoked: 'access-revoked',
    })) {
      expect(await excluded(rollout, id), id).toBe(code)
    }
    await answer('no', 'fail')
    await answer('asked', 'pass')
    await fleet.until(async () => (await fleet.versions()).asked === '1.1.0')
    await fleet.until(async () => (await reason('no')) === 'UPDATE_REFUSED')
    expect(await fleet.versions()).toEqual({ ...before, asked: '1.1.0', revoked: null })
    // The next release asks again: neither the approval nor the refusal was for it.
    const next = await fleet.rollOut(await fleet.release('1.2.0'), all)
    control?.wake('rollouts')
    await fleet.until(async () => (await fleet.phase(next)) === 'complete')
    await fleet.until(async () => (await reason('no')) === 'WAITS_FOR_APPROVAL')
    expect(await fleet.versions()).toEqual({ ...before, auto: '1.2.0', asked: '1.1.0', revoked: null })
    expect(fleet.platform.log.filter((line) => line.includes('revoked-') && /1\.[12]\.0/.test(line))).toEqual([])
    // Everybody lets it in: it comes to all, by itself.
    for (const id of ['asked', 'other', 'no']) await answer(id, 'pass')
    await set('paused', { updates: 'automatic' })
    await set('closed', { windows: [] })
    await set('revoked', { access: 'granted' })
    await fleet.until(async () => Object.values(await fleet.versions()).every((version) => version === '1.2.0'))
    expect(fleet.warnings).toEqual([])
  }, 300_000)

  it('asks nobody any more for a release whose rollout was aborted', async () => {
    await onFirst({ auto: {}, asked: { updates: 'approval' } })
    fleet.platform.behaviour = (_, version) => (version === '1.1.0' ? { errorRate: 0.3 } : {})
    const rollout = await fleet.rollOut(await fleet.release('1.1.0'), all)
    control?.wake('rollouts')
    await fleet.until(async () => (await page('asked')).requests.length > 0)
    const [request] = (await page('asked')).requests
    await fleet.until(async () => (await fleet.phase(rollout)) === 'aborted')
    await fleet.until(async () => (await page('asked')).requests.length === 0)
    const late = inDeployment('asked', (trx, row) => {
      const body = { gate: 'update', target: request?.target ?? '', status: 'pass' as const }
      return giveAnswer(trx, row, body, 'deployer:ann', Date.now())
    })
    await expect(late).rejects.toMatchObject({ code: 'E_TARGET_CHANGED' })
    expect((await fleet.versions()).asked).toBe('1.0.0')
  }, 300_000)

  it('that refuses while the rollout is open does not stop it', async () => {
    await onFirst({ auto: {}, no: { updates: 'approval' } })
    fleet.platform.behaviour = (_, version) => (version === '1.1.0' ? { readyAfterMs: 1_500 } : {})
    const rollout = await fleet.rollOut(await fleet.release('1.1.0'), all)
    control?.wake('rollouts')
    await fleet.until(async () => (await excluded(rollout, 'no')) === 'awaiting-approval')
    await answer('no', 'fail')
    await fleet.until(async () => (await fleet.phase(rollout)) === 'complete')
    expect(await excluded(rollout, 'no')).toBe('refused')
    expect(await fleet.versions()).toEqual({ auto: '1.1.0', no: '1.0.0' })
  }, 300_000)
})

describe('an approval gate of a worker’s plan', () => {
  it('is asked on the customer’s page with its difference, and the answer for it goes on', async () => {
    await onFirst({ one: {} })
    const [step, ...steps] = fastCanary.steps
    const rollout = { ...fastCanary, steps: [{ share: 30, ...step, gates: [{ kind: 'approval' as const }] }, ...steps] }
    const manifest = exampleManifest({ code: '1.1.0', rollout, without: ['jobs'] })
    const digest = fleet.sources.release('1.1.0', 9, manifest).release
    const at = new Date()
    await fleet.db
      .insertInto('releases')
      .values({
        project: 'shop',
        digest,
        version: '1.1.0',
        channel: 'stable',
        sequence: 9,
        envelope: '{}',
        statement: JSON.stringify({ version: '1.1.0', manifest }),
        signed_by: '[]',
        created_at: at,
        published_at: at,
        published_by: 'test',
      })
      .execute()
    await fleet.rollOut(digest, all)
    control?.wake('rollouts')
    await fleet.until(async () => (await page('one')).requests.length > 0)
    const shown = await page('one')
    expect(shown.requests).toMatchObject([
      { kind: 'gate', gate: 'api/step-0.0.approval', version: '1.1.0', answerable: true },
    ])
    expect(shown.requests[0]?.difference.map(({ change }) => change).join()).toContain('registry.test/api:1.1.0')
    expect(shown.arriving).toEqual({ version: '1.1.0', share: 30 })
    expect(shown.running).toMatchObject({ version: '1.0.0', health: 'healthy' })
    await answer('one', 'pass', 'api/step-0.0.approval')
    expect((await page('one')).requests).toEqual([])
    await fleet.until(async () => (await fleet.versions()).one === '1.1.0')
    const done = await page('one')
    expect(Date.parse(done.running?.since ?? '')).toBeGreaterThan(at.getTime())
    expect(done.sentence).toBe('1.1.0 runs. Nothing waits for you.')
  }, 300_000)
})
