import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { type Simulation, simulation } from '../testing/simulation.ts'

const plan = { ...quickCanary, maxSurge: 0, maxUnavailable: 1, rollbackWindow: '60s' as const }

function release(sim: Simulation, version: string, sequence: number, scale: number) {
  const manifest = exampleManifest({ code: version, scale, rollout: plan })
  return sim.sources.release(version, sequence, manifest, exampleConfig)
}

const abort = (sim: Simulation) => ({ controls: [{ id: 'a', kind: 'abort' as const, by: 'ann', at: sim.clock.now() }] })

/** The candidate serves everything, before or after its promotion. */
async function takenOver(scale: number, promoted = false) {
  const sim = simulation()
  const first = release(sim, '1.0.0', 1, scale)
  sim.wantTarget(first)
  await sim.settle()
  const second = release(sim, '1.1.0', 2, scale)
  sim.wantTarget(second)
  const run = sim.begin()
  const there = () =>
    promoted ? sim.state().stable?.digest === second.digest : sim.platform.served('x-api')['1.1.0'] === 100
  for (let ms = 0; !there() && ms < 120_000; ms += 100) await sim.clock.advance(100)
  expect(there()).toBe(true)
  return { sim, first, second, run }
}

function expectOnly(sim: Simulation, release: string, scale: number) {
  for (const [worker, instances] of [
    ['x-api', scale],
    ['x-jobs', 1],
  ] as const) {
    const versions = [...(sim.platform.workers.get(worker)?.versions.values() ?? [])]
    expect(versions, worker).toMatchObject([{ release, instances }])
    expect(sim.platform.served(worker), worker).toEqual({ [release]: 100 })
    expect(sim.platform.peak.get(worker), worker).toBe(instances)
  }
}

describe('without surge, stable takes the place of a candidate that was given up', () => {
  it.each([
    [1, false],
    [1, true],
    [3, true],
  ])('after an abort, at a scale of %i, promoted: %s', async (scale, promoted) => {
    const { sim, first, run } = await takenOver(scale, promoted)
    const from = sim.platform.log.length
    sim.want(abort(sim))
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, candidate: null })
    // By as many as may be missing, and no more, before stable serves.
    const shrunk = sim.platform.log.slice(from).filter((entry) => entry.startsWith('scale x-api 1.1.0'))
    expect(shrunk).toEqual([`scale x-api 1.1.0 ${scale - 1}`])
    expectOnly(sim, '1.0.0', scale)
  })

  it('where the target is set back and another runner goes on', async () => {
    const { sim, first, run } = await takenOver(1)
    sim.wantTarget(first)
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
    expectOnly(sim, '1.0.0', 1)
  })

  it('where the candidate is not trusted any more', async () => {
    const { sim, first, second, run } = await takenOver(1, true)
    sim.sources.refused.add(second.release)
    sim.want({ policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['manager'] }, target: first })
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
    expectOnly(sim, '1.0.0', 1)
  })

  it.each([false, true])('where a newer target takes its place, promoted: %s', async (promoted) => {
    const { sim, run } = await takenOver(1, promoted)
    const third = release(sim, '1.2.0', 3, 1)
    sim.wantTarget(third, abort(sim))
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
  })
})
