import { describe, expect, it, vi } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { type Simulation, simulation } from '../testing/simulation.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 })

const more = { type: 'kv', name: 'more', lifecycle: 'frozen' } as const
const closed = { rrule: 'FREQ=YEARLY', start: '2030-01-01T00:00', duration: '1h', timeZone: 'UTC' }

const release = (sim: Simulation, version: string, sequence: number, extra: (typeof more)[] = []) =>
  sim.sources.release(version, sequence, exampleManifest({ code: version, extra }), exampleConfig)

/** Nothing has run yet: the first release waited for its window, and the next one waits for a setup. */
async function waitingForSetup() {
  const sim = simulation()
  const customer = { updates: 'automatic' as const, access: 'granted' as const, windows: [closed] }
  sim.wantTarget(release(sim, '1.0.0', 1), { customer })
  await sim.settle(({ reason }) => reason.code === 'WAITS_FOR_WINDOW')
  const second = release(sim, '1.1.0', 2, [more])
  sim.want({ target: second })
  await sim.settle(({ phase }) => phase === 'needs-setup')
  return { sim, second, customer }
}

describe('a target that is taken back before anything ran', () => {
  // Found by the simulation, seed 61022: it said for ever that it needs a setup, so that no rollout told it anything any more.
  it('leaves no deployment that still says it needs the setup which was approved meanwhile', async () => {
    const { sim, second, customer } = await waitingForSetup()
    sim.want({ setup: { release: second.release }, target: null })
    const state = await sim.settle(undefined, 300_000)
    expect(state).toMatchObject({ phase: 'pending', reason: { code: 'NO_TARGET' }, stable: null })
    expect(sim.platform.things.has('x-more')).toBe(false)

    const third = release(sim, '1.2.0', 3, [more])
    sim.want({ target: third, customer: { ...customer, windows: [] } })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third, setup: second.release })
    expect(sim.platform.things.has('x-more')).toBe(true)
  })

  it('ends a first rollout although a setup was approved in the middle of it', async () => {
    const sim = simulation()
    sim.platform.behaviour = () => ({ readyAfterMs: null })
    sim.wantTarget(release(sim, '1.0.0', 1))
    const run = sim.begin()
    await sim.clock.advance(4_000)
    expect(sim.state().candidate).not.toBeNull()
    sim.want({ setup: { release: release(sim, '1.1.0', 2, [more]).release }, target: null })
    await sim.clock.run(run)
    const state = await sim.settle(undefined, 300_000)
    expect(state).toMatchObject({ phase: 'pending', reason: { code: 'NO_TARGET' }, candidate: null, stable: null })
  })
})
