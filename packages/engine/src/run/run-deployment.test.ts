import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

function release(sim: Simulation, version: string, sequence: number, code: string) {
  return sim.sources.release(version, sequence, exampleManifest({ code }), exampleConfig)
}

const eventTypes = (sim: Simulation) => sim.store.events(deploymentId).map((event) => event.type)

describe('runDeployment', () => {
  it('sets up, brings a first release at once, and rests', async () => {
    const sim = simulation()
    const first = release(sim, '1.0.0', 1, '1')
    sim.wantTarget(first)
    const state = await sim.settle()
    expect(state).toMatchObject({ phase: 'running', stable: first, candidate: null, sequence: 1, setup: first.release })
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
    expect(sim.platform.served('x-jobs')).toEqual({ '1.0.0': 100 })
    expect(sim.platform.workers.get('x-jobs')?.triggers).toBe(state.workers.jobs?.stable)
    expect([...sim.platform.things.keys()].sort()).toEqual(['x-files', 'x-key', 'x-work'])
  })

  it('brings a good release by its steps and clears the old version away', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    const second = release(sim, '1.1.0', 2, '2')
    const from = sim.platform.log.length
    sim.wantTarget(second)
    const state = await sim.settle()
    expect(state).toMatchObject({ phase: 'running', stable: second, candidate: null })
    const routes = sim.platform.log.slice(from).filter((entry) => entry.startsWith('route x-api'))
    // 50: with two instances and a surge of one, stable makes room before the candidate can carry 60.
    expect(routes).toEqual([
      'route x-api 1.0.0=80 1.1.0=20',
      'route x-api 1.0.0=50 1.1.0=50',
      'route x-api 1.0.0=40 1.1.0=60',
      'route x-api 1.1.0=100',
    ])
    expect(sim.platform.workers.get('x-api')?.versions.size).toBe(1)
    expect(eventTypes(sim)).toContain('deployment.promoted')
  })

  it('takes a release back that is measured to be worse, on all workers, with the evidence', async () => {
    const sim = simulation()
    const first = release(sim, '1.0.0', 1, '1')
    sim.wantTarget(first)
    await sim.settle()
    sim.platform.behaviour = (worker, version) => (worker === 'api' && version === '1.2.0' ? { errorRate: 0.1 } : {})
    const bad = release(sim, '1.2.0', 2, '2')
    sim.wantTarget(bad)
    const state = await sim.settle()
    expect(state).toMatchObject({ phase: 'running', stable: first, candidate: null })
    expect(state.rejected.map((entry) => entry.target)).toEqual([bad.digest])
    for (const worker of ['x-api', 'x-jobs']) {
      expect(sim.platform.served(worker)).toEqual({ '1.0.0': 100 })
      expect(sim.platform.workers.get(worker)?.versions.size).toBe(1)
    }
    const aborted = sim.store.events(deploymentId).find((event) => event.type === 'rollout.aborted')
    expect(aborted).toMatchObject({ resource: 'api', data: { evidence: { metric: 'error-rate', verdict: 'fail' } } })
    expect(eventTypes(sim)).toContain('deployment.returned')
  })

  it('does nothing for the same release again', async () => {
    const sim = simulation()
    const first = release(sim, '1.0.0', 1, '1')
    sim.wantTarget(first)
    await sim.settle()
    const changes = sim.platform.log.length
    sim.wantTarget(first)
    await sim.settle()
    expect(sim.platform.log.length).toBe(changes)
  })

  it('destroys everything, frozen included, and the area last', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, '1'))
    await sim.settle()
    sim.want({ operation: 'destroy' })
    const state = await sim.settle((found) => found.phase === 'deleted')
    expect(state.resources).toEqual({})
    expect(sim.platform.things.size + sim.platform.workers.size + sim.platform.areas.size).toBe(0)
    expect(sim.platform.log.at(-1)).toBe('close d1')
  })
})
