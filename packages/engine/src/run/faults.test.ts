import { LandfallError } from '@landfall/stack'
import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { type Fault, FaultGate, type FaultPoint } from '../testing/fault-gate.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

const seeds = Array.from({ length: 25 }, (_, index) => index + 1)

/** A bad day: calls fail before or after their effect, are throttled, and the runner dies now and then. */
function badDay(seed: number) {
  const random = seededRandom(seed * 7919)
  return (point: FaultPoint): Fault | null => {
    const chance = random.next()
    if (chance < 0.004) return { kind: 'kill' }
    if (point.call.startsWith('store.')) return null
    if (chance < 0.05) return { kind: 'throw', error: error('E_NETWORK') }
    if (chance < 0.07) return { kind: 'throw', error: error('E_THROTTLED') }
    return null
  }
}

function error(code: string): LandfallError {
  return new LandfallError({ code, message: `injected ${code}`, hint: 'none', retryable: true })
}

async function live(sim: Simulation, choose: (point: FaultPoint) => Fault | null, runs: number): Promise<void> {
  for (let run = 0; run < runs; run++) {
    const gate = new FaultGate(choose)
    await sim.claim(gate, 30_000)
    gate.killed = true
    await sim.clock.advance(16_000)
    check(sim)
  }
}

/** What must hold at every moment, whatever fails. */
function check(sim: Simulation): void {
  for (const [thing, times] of sim.platform.made) expect(times, `${thing} was made ${times} times`).toBe(1)
  // Two and one instance wanted, and a surge of one.
  expect(sim.platform.peak.get('x-api') ?? 0).toBeLessThanOrEqual(3)
  expect(sim.platform.peak.get('x-jobs') ?? 0).toBeLessThanOrEqual(2)
  const state = sim.store.state(deploymentId)
  for (const [name, worker] of sim.platform.workers) {
    const known = Object.keys(state?.workers[name.slice(2)]?.versions ?? {})
    for (const version of worker.versions.keys())
      expect(known, `${name} has a version nobody knows of`).toContain(version)
  }
}

describe('a bad day', () => {
  it.each(seeds)('with seed %i ends where a good one does', async (seed) => {
    const sim = simulation({ seed, limits: { attempts: 50 } })
    const random = seededRandom(seed)
    const make = (version: string, sequence: number, code: string, queueTimeout: string) =>
      sim.sources.release(version, sequence, exampleManifest({ code, queueTimeout }), exampleConfig)
    const targets = [make('1.0.0', 1, '1', '30s'), make('1.1.0', 2, '2', '60s'), make('1.2.0', 3, '3', '90s')]
    const choose = badDay(seed)
    for (const target of targets) {
      sim.wantTarget(target)
      await live(sim, choose, 1 + Math.floor(random.next() * 3))
    }
    // The newest one, or back to any that was stable here.
    const { stable, history } = sim.state()
    const allowed = [targets[2], stable, ...(history ?? [])].filter((target) => target !== null && target !== undefined)
    const last = allowed[Math.floor(random.next() * allowed.length)] ?? null
    sim.wantTarget(last)
    const state = await sim.settle(
      ({ phase, candidate, stable }) => phase === 'running' && !candidate && stable?.digest === last?.digest,
    )
    check(sim)
    const frozen = sim.platform.log.filter((entry) => entry.endsWith('x-files'))
    expect(frozen).toEqual(['create x-files', 'configure x-files'])
    for (const name of ['api', 'jobs']) {
      expect([...(sim.platform.workers.get(`x-${name}`)?.versions.keys() ?? [])]).toEqual([state.workers[name]?.stable])
      expect(Object.values(sim.platform.served(`x-${name}`))).toEqual([100])
    }
    sim.want({ operation: 'destroy' })
    await sim.settle(({ phase }) => phase === 'deleted')
    expect(sim.platform.things.size + sim.platform.workers.size + sim.platform.areas.size).toBe(0)
  })
})
