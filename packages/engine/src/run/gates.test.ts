import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { simulation } from '../testing/simulation.ts'

describe('the answer of a gate', () => {
  it('counts for the rollout that asked, never for the next one', async () => {
    const sim = simulation()
    const webhook = { kind: 'webhook', url: 'https://gate.test/', timeout: '10s' } as const
    const [step, ...steps] = quickCanary.steps
    const gated = { ...quickCanary, steps: [{ share: 20, ...step, gates: [webhook] }, ...steps] }
    const release = (version: string, sequence: number) =>
      sim.sources.release(
        version,
        sequence,
        exampleManifest({ code: version, rollout: gated, without: ['jobs'] }),
        exampleConfig,
      )
    const asked: string[] = []
    let answer: 'pass' | 'wait' = 'pass'
    sim.sources.gates = {
      ask: async (_, { version }) => {
        asked.push(version)
        return { status: answer }
      },
    }
    sim.wantTarget(release('1.0.0', 1))
    await sim.settle()
    asked.length = 0
    const second = release('1.1.0', 2)
    sim.wantTarget(second)
    const run = sim.begin()
    // The first candidate's gate passes at its first step; while it is at its second, another target comes.
    for (let ms = 0; asked.length === 0 && ms < 60_000; ms += 100) await sim.clock.advance(100)
    expect(asked).toHaveLength(1)
    answer = 'wait'
    const third = release('1.2.0', 3)
    sim.wantTarget(third)
    await sim.clock.advance(45_000)
    expect(sim.state()).toMatchObject({ candidate: third, phase: 'updating' })
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 80, '1.2.0': 20 })
    expect(new Set(asked).size).toBe(2)
    answer = 'pass'
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
  })
})
