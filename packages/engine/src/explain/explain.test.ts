import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'
import { explain } from './explain.ts'

const release = (sim: Simulation, version: string, sequence: number, code: string) =>
  sim.sources.release(version, sequence, exampleManifest({ code }), exampleConfig)

function now(sim: Simulation) {
  return explain(sim.store.state(deploymentId), sim.store.current(deploymentId), sim.clock.now())
}

describe('explain', () => {
  it('says that nobody has looked yet', () => {
    expect(now(simulation())).toMatchObject({ onTarget: false, waitsFor: [{ code: 'NOT_SEEN' }] })
  })

  it('on the target, has nothing to wait for', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    expect(now(sim)).toMatchObject({ onTarget: true, sentence: 'first runs what it is wanted to run.', waitsFor: [] })
  })

  it('on the way, names each worker, its share and what it waits for, since when', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    sim.wantTarget(release(sim, '1.1.0', 2, '2'))
    const run = sim.begin()
    await sim.clock.advance(4_000)
    const { onTarget, waitsFor, since } = now(sim)
    expect(onTarget).toBe(false)
    expect(waitsFor.map(({ message }) => message).join('\n')).toMatch(/api at 20%: .*\n.*jobs at 20%: /)
    expect(since).toBeLessThan(sim.clock.now())
    await sim.clock.run(run)
  })

  it('after a rollback, why it went back', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    sim.platform.behaviour = (worker, version) =>
      worker === 'api' && version === '1.1.0'
        ? { failing: { code: 'CRASH_LOOP', message: 'exits with 1 at once' } }
        : {}
    sim.wantTarget(release(sim, '1.1.0', 2, '2'))
    await sim.settle()
    expect(now(sim)).toMatchObject({ onTarget: false, waitsFor: [{ code: 'CRASH_LOOP' }] })
    expect(now(sim).sentence).toContain('exits with 1 at once')
  })

  it('in needs-setup, each difference', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    const manifest = exampleManifest({ code: '2', extra: [{ type: 'kv', name: 'more', lifecycle: 'frozen' }] })
    sim.want({ target: sim.sources.release('2.0.0', 2, manifest, exampleConfig) })
    await sim.settle()
    const { sentence, waitsFor } = now(sim)
    expect(sentence).toContain('waits for the customer')
    expect(waitsFor.filter(({ message }) => message.includes('"more"')).length).toBe(1)
    expect(waitsFor.every(({ message }) => !message.startsWith('0:'))).toBe(true)
  })

  it('with access revoked, that it goes on by itself', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    sim.platform.revoked = true
    await sim.settle(({ phase }) => phase === 'access-revoked')
    expect(now(sim)).toMatchObject({ waitsFor: [{ code: 'ACCESS_REVOKED' }] })
    expect(now(sim).sentence).toContain('goes on by itself')
  })

  it.each([
    ['WAITS_FOR_APPROVAL', { updates: 'approval' as const }],
    ['UPDATES_PAUSED', { updates: 'paused' as const }],
    [
      'WAITS_FOR_WINDOW',
      { windows: [{ rrule: 'FREQ=DAILY', start: '2027-01-01T02:00', duration: '1h', timeZone: 'UTC' }] },
    ],
    ['REVOKED_BY_CUSTOMER', { access: 'revoked' as const }],
  ])('held by its customer, says so: %s', async (code, patch) => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    const customer = { updates: 'automatic', access: 'granted', windows: [], ...patch } as const
    sim.wantTarget(release(sim, '1.1.0', 2, '2'), { customer: { ...customer, windows: [...customer.windows] } })
    await sim.settle()
    expect(now(sim)).toMatchObject({ onTarget: false, waitsFor: [{ code }] })
    expect(now(sim).sentence).toMatch(/customer|window/)
  })

  it('refused by its customer, by whom and why', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    const next = release(sim, '1.1.0', 2, '2')
    const refusal = {
      gate: 'update',
      target: next.digest,
      status: 'fail',
      by: 'ann',
      at: 1,
      message: 'too early',
    } as const
    sim.wantTarget(next, { answers: [refusal] })
    await sim.settle()
    expect(now(sim).sentence).toContain('Refused by ann: too early')
    expect(now(sim).waitsFor).toMatchObject([{ code: 'UPDATE_REFUSED' }])
  })
})
