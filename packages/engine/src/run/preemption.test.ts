import { LandfallError } from '@landfall/stack'
import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { FaultGate } from '../testing/fault-gate.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

function release(sim: Simulation, version: string, sequence: number, code: string) {
  return sim.sources.release(version, sequence, exampleManifest({ code }), exampleConfig)
}

async function onFirst(limits = {}) {
  const sim = simulation({ limits })
  const first = release(sim, '1.0.0', 1, '1')
  sim.wantTarget(first)
  await sim.settle()
  return { sim, first }
}

describe('a new target mid-way', () => {
  // The whole update takes some 20 simulated seconds; every other second of it is tried.
  it.each(Array.from({ length: 10 }, (_, index) => index * 2_000))(
    'after %i ms starts at step 0 against the same stable',
    async (ms) => {
      const { sim } = await onFirst()
      const second = release(sim, '1.1.0', 2, '2')
      const third = release(sim, '1.2.0', 3, '3')
      sim.wantTarget(second)
      const run = sim.begin()
      await sim.clock.advance(ms)
      const done = sim.state().stable?.digest === second.digest
      const from = sim.platform.log.length
      sim.wantTarget(third)
      await sim.clock.run(run)
      const state = await sim.settle()
      expect(state).toMatchObject({ phase: 'running', stable: third, candidate: null })
      const log = sim.platform.log.slice(from)
      const routes = log.filter((entry) => entry.startsWith('route x-api'))
      const stable = done ? '1.1.0' : '1.0.0'
      expect(routes.find((entry) => entry.includes('1.2.0='))).toBe(`route x-api ${stable}=80 1.2.0=20`)
      // What was between never serves again.
      const back = routes.indexOf(`route x-api ${stable}=100`)
      if (!done) for (const route of routes.slice(Math.max(0, back))) expect(route).not.toContain('1.1.0=')
      expect(sim.platform.workers.get('x-api')?.versions.size).toBe(1)
      for (const [thing, times] of sim.platform.made) expect(times, thing).toBe(1)
      // Two and one instance wanted, and a surge of one.
      expect(sim.platform.peak.get('x-api') ?? 0).toBeLessThanOrEqual(3)
      expect(sim.platform.peak.get('x-jobs') ?? 0).toBeLessThanOrEqual(2)
    },
  )

  it('takes effect within a step, not after a bake', async () => {
    const { sim, first } = await onFirst()
    sim.wantTarget(release(sim, '1.1.0', 2, '2'))
    const run = sim.begin()
    await sim.clock.advance(8_000)
    expect(sim.platform.served('x-api')).toHaveProperty(['1.1.0'])
    sim.wantTarget(first)
    await sim.clock.advance(1_000)
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
    await sim.clock.run(run)
    const state = await sim.settle()
    expect(state).toMatchObject({ phase: 'running', stable: first, candidate: null, rejected: [] })
    const routes = sim.store.events(deploymentId).filter((event) => event.type === 'rollout.superseded')
    expect(routes).toHaveLength(1)
  })

  // Found by the simulation, seed 141: a removal that had failed was taken for one that had begun.
  it('waits until the earlier candidate is really gone, also where its removal fails at first', async () => {
    const { sim } = await onFirst()
    const third = release(sim, '1.2.0', 3, '3')
    sim.wantTarget(release(sim, '1.1.0', 2, '2'))
    let failures = 0
    const away = { code: 'E_AWAY', message: 'The platform does not answer', hint: 'None.', retryable: true }
    const gate = new FaultGate(({ call, side }) =>
      call.endsWith('.removeVersion') && side === 'before' && ++failures <= 6
        ? { kind: 'throw', error: new LandfallError(away) }
        : null,
    )
    const run = sim.begin(gate)
    await sim.clock.advance(8_000)
    sim.wantTarget(third)
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
    expect(failures).toBeGreaterThan(6)
    expect(sim.platform.peak.get('x-api') ?? 0).toBeLessThanOrEqual(3)
    expect(sim.platform.peak.get('x-jobs') ?? 0).toBeLessThanOrEqual(2)
  })

  // Found by the simulation, seed 80429: what it had made itself was not in the picture, so that there seemed to be room.
  it('waits for what it made also where looks show an older picture', async () => {
    const { sim } = await onFirst()
    const { worker } = sim.platform.compute
    if (!worker) throw new Error('no workers')
    const observe = worker.observe.bind(worker)
    const look = (name: string) => observe(...([{ name }, null] as unknown as Parameters<typeof observe>))
    const older = { 'x-api': await look('x-api'), 'x-jobs': await look('x-jobs') }
    sim.wantTarget(release(sim, '1.1.0', 2, '2'))
    const run = sim.begin()
    await sim.clock.advance(1_000)
    expect(sim.platform.workers.get('x-api')?.versions.size).toBe(2)
    const until = sim.clock.now() + 20_000
    worker.observe = async (context, data) =>
      sim.clock.now() < until ? older[context.name as keyof typeof older] : observe(context, data)
    const third = release(sim, '1.2.0', 3, '3')
    sim.wantTarget(third)
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
    expect(sim.platform.peak.get('x-api') ?? 0).toBeLessThanOrEqual(3)
    expect(sim.platform.peak.get('x-jobs') ?? 0).toBeLessThanOrEqual(2)
  })
})
