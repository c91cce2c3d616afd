import type { Control } from '@landfall/rollout'
import { expect, it } from 'vitest'
import { exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { deploymentId, simulation } from '../testing/simulation.ts'

const release = (sim: ReturnType<typeof simulation>, version: string, sequence: number) =>
  sim.sources.release(version, sequence, exampleManifest({ code: version, rollout: quickCanary }), exampleConfig)

it.each<[Control['kind'], string]>([
  ['abort', 'goes back'],
  ['promote-full', 'skips its steps'],
  ['pause', 'is held'],
])('%s that arrives late, for another target, is dropped: no later release %s', async (kind) => {
  const sim = simulation()
  sim.wantTarget(release(sim, '1.0.0', 1))
  await sim.settle()
  const meant = release(sim, '1.1.0', 2)
  const newer = release(sim, '1.2.0', 3)
  const control = { id: 'c', kind, by: 'ada', at: sim.clock.now(), target: meant.digest }
  sim.want({ target: newer, setup: { release: newer.release }, controls: [control] })
  const shares: number[] = []
  const run = sim.begin()
  for (let ms = 0; ms < 120_000; ms += 500) {
    await sim.clock.advance(500)
    const share = sim.platform.served('x-api')['1.2.0'] ?? 0
    if (shares.at(-1) !== share) shares.push(share)
  }
  await sim.clock.run(run)
  expect(await sim.settle()).toMatchObject({ phase: 'running', stable: newer })
  expect(shares.filter((share) => share > 0 && share < 100).length).toBeGreaterThan(0)
  expect(sim.store.events(deploymentId).map((event) => event.code)).toContain('OTHER_TARGET')
})
