import { initialState, type Target } from '@landfall/engine'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noteBundle } from '../../exports/note-bundle.ts'
import { siteNews } from '../../exports/site-news.ts'
import { tellTarget } from '../../store/targets/tell-target.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { plan, testFleet } from '../testing/fleet.ts'
import { advanceRollout } from './advance-rollout.ts'
import { memberOf } from './member-row.ts'
import { wakeLate } from './wake-late.ts'

let server: TestServer
let fleet: Awaited<ReturnType<typeof testFleet>>
let now = 0

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(() => begin())

async function begin() {
  fleet = await testFleet(await server.database())
  now = Date.now()
}

/** Time passes, and every rollout that is due has its looks. */
async function look(ms = 20_000) {
  for (const end = now + ms; now < end; ) {
    now += 5_000
    await wakeLate(fleet.db, now)
    for (let looks = 0; looks < 20 && (await advanceRollout(fleet.db, now)) !== null; looks += 1);
  }
}

const row = (id: string) =>
  fleet.db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const told = async (id: string): Promise<Target | null> => (await row(id)).target
const member = async (rollout: string, id: string) => {
  const stored = await fleet.db
    .selectFrom('rollout_members')
    .selectAll()
    .where('rollout', '=', rollout)
    .where('deployment', '=', id)
    .executeTakeFirst()
  return stored && memberOf(id, stored)
}

/** What the report of its runner leaves behind: it took up what it was told, and went there or back. */
async function report(id: string, outcome: 'healthy' | 'bad' | 'working' = 'healthy') {
  const { target, requested_generation: generation, state } = await row(id)
  const stable = outcome === 'healthy' ? target : (state?.stable ?? null)
  const rejected = outcome === 'bad' && target ? [{ target: target.digest, code: 'BAD', message: 'Bad', at: now }] : []
  const phase = outcome === 'working' ? ('updating' as const) : ('running' as const)
  await fleet.db
    .updateTable('deployments')
    .set({
      state: JSON.stringify({ ...initialState(now), phase, generation, stable, rejected }),
      observed_generation: generation,
      last_seen_at: new Date(now),
    })
    .where('id', '=', id)
    .execute()
}
const seen = (id: string) =>
  fleet.db
    .updateTable('deployments')
    .set({ last_seen_at: new Date(now) })
    .where('id', '=', id)
    .execute()

async function allOn(version: string, ids: readonly string[]) {
  const release = await fleet.release(version)
  const rollout = await fleet.rollOut(release)
  for (const id of ids) await seen(id)
  await look(5_000)
  for (const id of ids) await report(id)
  await look(10_000)
  expect(await fleet.phase(rollout)).toBe('complete')
  for (const id of ids) expect((await told(id))?.release).toBe(release)
  return release
}

const inTwo = plan([
  { name: 'first', groups: ['ring-1'], soak: '0s' },
  { name: 'all', share: 100, soak: '0s' },
])

describe('a site that gets its releases by bundle', () => {
  it('is never told by a rollout, holds none up, and is shown with what it reported and what was made for it', async () => {
    await fleet.deploy('site', { group: 'ring-1', model: 'airgapped' })
    await fleet.deploy('a', { model: 'push' })
    await fleet.deploy('b', { model: 'pull' })
    const release = await fleet.release('1.0.0')
    const rollout = await fleet.rollOut(release, inTwo)
    await seen('b')
    await look()
    for (const id of ['a', 'b']) await report(id)
    await look()
    expect(await fleet.phase(rollout)).toBe('complete')
    expect(await told('site')).toBeNull()
    expect((await member(rollout, 'site'))?.reason).toEqual({
      code: 'by-bundle',
      message: 'It has not reported yet; no bundle was made for it',
    })
    // Nobody is woken for it again and again.
    expect(await wakeLate(fleet.db, now)).toBe(0)

    const at = now
    await fleet.db.transaction().execute(async (trx) => {
      const target = { digest: 'sha256:t', release, config: 'sha256:c' }
      const order = { deployment: 'site', project: 'shop', target, cause: 'bundle', actor: 'ada', message: 'x', at }
      await tellTarget(trx, order)
      const bundle = { deployment: 'site', project: 'shop', release: { digest: release, version: '1.0.0' } }
      await noteBundle(trx, { ...bundle, generation: 1, actor: 'ada', at })
    })
    expect((await siteNews(fleet.db, ['site', 'a'])).get('site')).toEqual({
      version: null,
      reportedAt: null,
      bundle: { version: '1.0.0', at, by: 'ada' },
    })
    await report('site')
    const said = { deployment: 'site', audit_hash: 'none', last_report_at: new Date(now), via: 'export' as const }
    await fleet.db.insertInto('agents').values(said).execute()
    now += 3 * 86_400_000
    for (const id of ['a', 'b']) await seen(id)
    const next = await fleet.rollOut(await fleet.release('1.1.0'))
    await look()
    expect((await member(next, 'site'))?.reason?.message).toMatch(
      /^1\.0\.0, reported on .* UTC by export; a bundle for 1\.0\.0 was made on .* UTC$/,
    )
    const history = await fleet.db.selectFrom('targets').select('cause').where('deployment', '=', 'site').execute()
    expect(history).toEqual([{ cause: 'bundle' }])
  })
})

describe('a deployment with an agent', () => {
  it('counts by its reports; one that was never seen, or not for long, does not, and holds nobody up', async () => {
    await fleet.deploy('a')
    await fleet.deploy('b', { model: 'pull' })
    await fleet.deploy('new', { model: 'pull' })
    await allOn('1.0.0', ['a', 'b'])
    now += 700_000
    // Nothing is due there, but an agent speaks without being asked.
    const away = await fleet.rollOut(await fleet.release('1.1.0'))
    await look()
    expect((await member(away, 'b'))?.reason?.code).toBe('offline')
    expect((await member(away, 'new'))?.reason?.code).toBe('not-enrolled')
    await report('a')
    await look()
    expect(await fleet.phase(away)).toBe('complete')
    // Nobody is woken again and again for those who are silent.
    expect(await wakeLate(fleet.db, now)).toBe(0)
    const before = await told('b')
    await seen('b')
    await look()
    expect(await told('b')).not.toEqual(before)
    await report('b')
    await look()
    expect(await member(away, 'b')).toMatchObject({ status: 'succeeded' })
  })

  it('that is in flight when a release is aborted goes back, also when it is away at that moment', async () => {
    for (const id of ['b', 'c', 'd']) await fleet.deploy(id, { model: 'pull' })
    await fleet.deploy('late', { model: 'pull' })
    const first = await allOn('1.0.0', ['b', 'c', 'd', 'late'])
    now += 700_000
    for (const id of ['b', 'c', 'd']) await seen(id)
    const bad = await fleet.release('1.1.0')
    const rollout = await fleet.rollOut(bad)
    await look(5_000)
    for (const id of ['b', 'c', 'd']) expect((await told(id))?.release).toBe(bad)
    await report('c', 'working')
    // `d` goes away with its order, before anybody knows how bad it is.
    now += 700_000
    await seen('c')
    await report('b', 'bad')
    await look()
    for (const id of ['b', 'c', 'd']) expect((await told(id))?.release, id).toBe(first)
    for (const id of ['b', 'c']) await report(id)
    await look()
    expect(await fleet.phase(rollout)).toBe('aborted')
    // It comes back, and so does one that was away all the time: neither goes to what was aborted.
    await report('d')
    await seen('late')
    await look()
    expect((await told('d'))?.release).toBe(first)
    expect((await told('late'))?.release).toBe(first)
    const releases = await fleet.db.selectFrom('targets').select('target').where('deployment', '=', 'late').execute()
    expect(releases.map((one) => one.target.release)).toEqual([first])
  })
})

describe('any fleet', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('report' as const), id: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('bad' as const), id: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('away' as const), id: fc.constantFrom('b', 'c') }),
    fc.record({ kind: fc.constant('abort' as const) }),
    fc.record({ kind: fc.constant('release' as const) }),
  )

  it('ends on no release that was aborted, on the newest where that one was not, and the site is told nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 3, maxLength: 14 }), async (events) => {
        await begin()
        await fleet.deploy('a')
        for (const id of ['b', 'c']) await fleet.deploy(id, { model: 'pull' })
        await fleet.deploy('site', { model: 'airgapped' })
        await allOn('1.0.0', ['a', 'b', 'c'])
        const away = new Set<string>()
        let minor = 0
        let control = 0
        const alive = async () => {
          for (const id of ['b', 'c']) if (!away.has(id)) await seen(id)
        }
        for (const each of events) {
          if (each.kind === 'report') {
            away.delete(each.id)
            await report(each.id)
          } else if (each.kind === 'bad') {
            const { target, state } = await row(each.id)
            if (!away.has(each.id) && target?.digest !== state?.stable?.digest) await report(each.id, 'bad')
          } else if (each.kind === 'away') {
            away.add(each.id)
            now += 700_000
          } else if (each.kind === 'release') {
            minor += 1
            await fleet.rollOut(await fleet.release(`1.${minor}.0`))
          } else {
            const open = await fleet.db.selectFrom('rollouts').select('id').where('finished_at', 'is', null).execute()
            for (const { id: rollout } of open) {
              control += 1
              const values = { rollout, id: `abort-${control}`, kind: 'abort' as const, by: 'ada', at: new Date(now) }
              await fleet.db.insertInto('rollout_controls').values(values).execute()
              await fleet.db
                .updateTable('rollouts')
                .set({ wake_at: new Date(now) })
                .where('id', '=', rollout)
                .execute()
            }
          }
          await alive()
          await look(5_000)
        }
        // The faults stop: everybody is back and well.
        away.clear()
        for (let round = 0; round < 8; round += 1) {
          for (const id of ['a', 'b', 'c']) {
            const { target, state, requested_generation: asked } = await row(id)
            if (target?.digest !== state?.stable?.digest || state?.generation !== asked) await report(id)
          }
          await alive()
          await look(10_000)
        }
        const rollouts = await fleet.db
          .selectFrom('rollouts')
          .select(['release', 'phase'])
          .orderBy('created_at', 'desc')
          .execute()
        expect(rollouts.filter((one) => !['complete', 'aborted', 'superseded'].includes(one.phase))).toEqual([])
        const aborted = rollouts.filter((one) => one.phase === 'aborted').map((one) => one.release)
        const [newest] = rollouts
        for (const id of ['a', 'b', 'c']) {
          const { target, state } = await row(id)
          expect(state?.stable?.digest, id).toBe(target?.digest)
          expect(aborted, id).not.toContain(target?.release)
          if (newest?.phase === 'complete') expect(target?.release, id).toBe(newest.release)
        }
        expect(await told('site')).toBeNull()
      }),
      {
        numRuns: 5,
        examples: [
          // Told the next release while it still rests on the aborted one: that is not where the next abort sends it.
          [
            [
              { kind: 'release' },
              { kind: 'report', id: 'a' },
              { kind: 'abort' },
              { kind: 'release' },
              { kind: 'abort' },
              { kind: 'away', id: 'b' },
              { kind: 'bad', id: 'a' },
            ],
          ],
        ],
      },
    )
  }, 400_000)
})
