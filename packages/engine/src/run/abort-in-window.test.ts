import { expect, it } from 'vitest'
import { exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { FaultGate } from '../testing/fault-gate.ts'
import { type Simulation, simulation } from '../testing/simulation.ts'

function release(sim: Simulation, version: string, sequence: number) {
  const rollout = { ...quickCanary, rollbackWindow: '60s' as const }
  return sim.sources.release(version, sequence, exampleManifest({ code: version, rollout }), exampleConfig)
}

it('after an abort in the rollback window a newer target does not wait for ever for triggers that are still with the lost version', async () => {
  const sim = simulation()
  sim.wantTarget(release(sim, '1.0.0', 1))
  await sim.settle()
  const second = release(sim, '1.1.0', 2)
  sim.wantTarget(second)
  const triggers = () => {
    const jobs = sim.platform.workers.get('x-jobs')
    return jobs?.versions.get(jobs.triggers ?? 'sha256:')?.release
  }
  let ends = false
  const dying = new FaultGate(({ call, side }) =>
    ends && side === 'before' && call.endsWith('.moveTriggers') ? { kind: 'kill' } : null,
  )
  const run = sim.begin(dying)
  for (let ms = 0; triggers() !== '1.1.0' && ms < 120_000; ms += 100) await sim.clock.advance(100)
  expect(sim.state()).toMatchObject({ stable: second })
  sim.want({ controls: [{ id: 'a', kind: 'abort', by: 'ann', at: sim.clock.now() }] })
  // The runner dies between the traffic and the triggers, and the newer target is there before another goes on.
  ends = true
  await sim.clock.run(run)
  expect(sim.state()).toMatchObject({ phase: 'returning' })
  expect(triggers()).toBe('1.1.0')
  const third = release(sim, '1.2.0', 3)
  sim.wantTarget(third)
  expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
  expect(triggers()).toBe('1.2.0')
})
