import { expect, it, vi } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { type Simulation, simulation } from '../testing/simulation.ts'

// A busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 })

const release = (sim: Simulation, version: string, sequence: number) =>
  sim.sources.release(version, sequence, exampleManifest({ code: version }), exampleConfig)

/** Stable crashes, and a candidate that crashed too went back to it. */
async function backOnBad() {
  const sim = simulation()
  const crash = { failing: { code: 'CRASH_LOOP', message: 'exits at once' } }
  const first = release(sim, '1.0.0', 1)
  sim.wantTarget(first)
  await sim.settle()
  sim.platform.behaviour = (_, version) => (version === '1.2.0' ? {} : crash)
  const second = release(sim, '1.1.0', 2)
  sim.wantTarget(second)
  await sim.settle(({ phase, rejected }) => phase === 'returning' && rejected.length > 0)
  return { sim, first }
}

// Found by the simulation, seed 41005: it said for ever that it goes back, and nobody was asked.
it('a stable that crashes hides nothing from the customer who has to approve what would replace it', async () => {
  const { sim, first } = await backOnBad()
  const third = release(sim, '1.2.0', 3)
  const customer = { updates: 'approval' as const, access: 'granted' as const, windows: [] }
  sim.wantTarget(third, { customer })
  const asks = await sim.settle(undefined, 300_000)
  expect(asks).toMatchObject({ phase: 'running', reason: { code: 'WAITS_FOR_APPROVAL' }, stable: first })
  expect([...(sim.platform.workers.get('x-api')?.versions.values() ?? [])]).toMatchObject([{ release: '1.0.0' }])
  const approved = { gate: 'update', target: third.digest, status: 'pass', by: 'ann', at: sim.clock.now() } as const
  sim.want({ answers: [approved] })
  const mended = await sim.settle(({ stable }) => stable?.digest === third.digest, 300_000)
  expect(mended).toMatchObject({ phase: 'running', candidate: null })
})

it('a stable that crashes hides no setup that the next release needs', async () => {
  const { sim, first } = await backOnBad()
  const extra = [{ type: 'kv', name: 'more', lifecycle: 'frozen' }] as const
  const third = sim.sources.release('1.2.0', 3, exampleManifest({ code: '1.2.0', extra: [...extra] }), exampleConfig)
  sim.want({ target: third })
  const asks = await sim.settle(undefined, 300_000)
  expect(asks).toMatchObject({ phase: 'needs-setup', reason: { code: 'NEEDS_SETUP' }, stable: first })
})

// Found by the simulation, seed 31055: it was said to be on its way for ever after.
it('a stable that crashed while access was revoked hides nothing either once it is granted', async () => {
  const sim = simulation()
  const first = release(sim, '1.0.0', 1)
  sim.wantTarget(first)
  await sim.settle()
  const customer = { updates: 'approval' as const, access: 'granted' as const, windows: [] }
  sim.want({ customer: { ...customer, access: 'revoked' } })
  await sim.settle(({ phase }) => phase === 'access-revoked')
  sim.platform.behaviour = () => ({ failing: { code: 'CRASH_LOOP', message: 'exits at once' } })
  sim.wantTarget(release(sim, '1.1.0', 2), { customer })
  const asks = await sim.settle(undefined, 300_000)
  expect(asks).toMatchObject({ phase: 'running', reason: { code: 'WAITS_FOR_APPROVAL' }, stable: first, parked: null })
})

it('a stable that crashes does not keep the release out that mends it', async () => {
  const sim = simulation()
  const steps = [
    { share: 20, bake: '5s' as const },
    { share: 60, bake: '5s' as const },
  ]
  const manifest = (code: string) => exampleManifest({ code, rollout: { strategy: 'canary', steps } })
  sim.wantTarget(sim.sources.release('1.0.0', 1, manifest('1.0.0'), exampleConfig))
  await sim.settle()
  sim.platform.behaviour = (_, version) =>
    version === '1.1.0' ? {} : { failing: { code: 'CRASH_LOOP', message: 'exits at once' } }
  const mended = sim.sources.release('1.1.0', 2, manifest('1.1.0'), exampleConfig)
  sim.wantTarget(mended)
  expect(await sim.settle(({ phase }) => phase === 'running', 300_000)).toMatchObject({ stable: mended })
})

it('while nothing better is wanted it says that it goes back, and why', async () => {
  const { sim } = await backOnBad()
  await sim.clock.advance(120_000)
  await sim.claim(undefined, 60_000)
  expect(sim.state()).toMatchObject({ phase: 'returning', reason: { code: 'CRASH_LOOP' } })
})
