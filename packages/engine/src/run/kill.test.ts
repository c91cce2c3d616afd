import { describe, expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { FaultGate } from '../testing/fault-gate.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

/** Start, a good release with a changed queue, a bad one, and the end of it all: every kind of step there is. */
const story = [
  (sim: Simulation) => sim.wantTarget(target(sim, '1.0.0', 1, '1')),
  (sim: Simulation) => sim.wantTarget(target(sim, '1.1.0', 2, '2', '60s')),
  (sim: Simulation) => sim.wantTarget(target(sim, '1.2.0', 3, '3')),
  (sim: Simulation) => sim.want({ operation: 'destroy' }),
]

function target(sim: Simulation, version: string, sequence: number, code: string, queueTimeout = '30s') {
  return sim.sources.release(version, sequence, exampleManifest({ code, queueTimeout }), exampleConfig)
}

function begin(): Simulation {
  const sim = simulation({ limits: { sessionMs: 86_400_000 } })
  sim.platform.behaviour = (worker, version) => (worker === 'jobs' && version === '1.2.0' ? { errorRate: 0.2 } : {})
  return sim
}

/** What a person would compare: what exists, what serves, what is believed. */
function outcome(sim: Simulation) {
  const state = sim.state()
  return {
    phase: state.phase,
    stable: state.stable?.digest ?? null,
    candidate: state.candidate,
    things: [...sim.platform.things.entries()].map(([name, thing]) => [name, thing.spec]).sort(),
    versions: [...sim.platform.workers].map(([name, worker]) => [
      name,
      [...worker.versions.keys()].sort(),
      worker.triggers,
    ]),
    served: ['x-api', 'x-jobs'].map((name) => sim.platform.served(name)),
    areas: [...sim.platform.areas],
  }
}

/** How many of the calls of each part are tried, evenly spread; `LANDFALL_KILL_POINTS=10000` tries every one. */
const tries = Number(process.env.LANDFALL_KILL_POINTS ?? 25)

const stepEnds = (state: { phase: string }, step: number) =>
  step === 3 ? state.phase === 'deleted' : state.phase === 'running'

/** Plays the story up to and with step `last`; the first run of `kill.step` is killed at its call `kill.at`. */
async function play(sim: Simulation, last: number, kill: { step: number; at: number } | null) {
  const outcomes = []
  let points = 0
  for (const [step, act] of story.entries()) {
    if (step > last) break
    act(sim)
    if (kill?.step === step) {
      const gate = new FaultGate(({ index }) => (index === kill.at ? { kind: 'kill' } : null))
      await sim.claim(gate, 120_000)
      gate.killed = true
      points = gate.points
    }
    await sim.settle((state) => stepEnds(state, step))
    outcomes.push(outcome(sim))
    for (const [thing, times] of sim.platform.made) expect(times, `${thing} was made ${times} times`).toBe(1)
  }
  return { outcomes, points }
}

describe('a runner killed at any call', () => {
  it.each([0, 1, 2, 3])(
    'in part %i of the story leads to the same end, with nothing made twice',
    { timeout: 600_000 },
    async (step) => {
      const expected = (await play(begin(), step, null)).outcomes
      // A run whose kill point lies past its end tells how many there are.
      const { points } = await play(begin(), step, { step, at: Number.MAX_SAFE_INTEGER })
      expect(points).toBeGreaterThan(10)
      const stride = Math.max(1, Math.floor(points / tries))
      for (let at = 0; at < points; at += stride) {
        const sim = begin()
        const { outcomes } = await play(sim, step, { step, at })
        expect(outcomes, `killed at call ${at}`).toEqual(expected)
        expect(sim.store.events(deploymentId).filter((event) => event.type === 'deployment.deleted')).toHaveLength(
          step === 3 ? 1 : 0,
        )
      }
    },
  )
})
