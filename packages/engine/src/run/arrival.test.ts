import { type Digest, LandfallError } from '@landfall/stack'
import { expect, it } from 'vitest'
import { exampleConfig, exampleManifest } from '../testing/example-stack.ts'
import { deploymentId, simulation } from '../testing/simulation.ts'

/** Releases that are brought only once they are asked for; `come` is the end of that way for one. */
function loading() {
  const sim = simulation()
  const { sources } = sim
  const here = new Set<Digest>()
  const asked: Digest[] = []
  const known = sources.load.bind(sources)
  let next = Promise.withResolvers<void>()
  sources.load = async (release) => {
    asked.push(release)
    if (here.has(release)) return known(release)
    const said = { code: 'E_RELEASE_LOADING', message: 'It is being brought', hint: 'Nothing.', retryable: true }
    throw new LandfallError(said)
  }
  const come = (release: Digest) => {
    here.add(release)
    next.resolve()
    next = Promise.withResolvers()
  }
  const release = (version: string, sequence: number) =>
    sources.release(version, sequence, exampleManifest({ code: version }), exampleConfig)
  return { sim, asked, come, release, arriving: () => next.promise }
}

it('a first deployment begins when its release and that of its setup have come, without a pause', async () => {
  const { sim, asked, come, release, arriving } = loading()
  Object.assign(sim.sources, { arriving })
  const [target, setup] = [release('1.0.0', 1), release('1.2.0', 2)]
  sim.wantTarget(target, { setup: { release: setup.release } })
  const run = sim.begin()
  // In no time: only what needs none happens.
  await sim.clock.run(run, 0)
  expect(asked).toEqual([target.release, setup.release])
  come(target.release)
  await sim.clock.run(run, 0)
  expect(asked.slice(2)).toEqual([target.release, setup.release])
  expect(sim.platform.log).toEqual([])
  come(setup.release)
  await sim.clock.run(run, 0)
  // What had been loaded is not loaded again.
  expect(asked.slice(4)).toEqual([setup.release])
  expect(sim.store.events(deploymentId).map(({ type }) => type)).toContain('setup.completed')
  await sim.clock.run(run)
  expect(await sim.settle()).toMatchObject({ phase: 'running', stable: target })
})

it('when something else came, what is still missing is asked for once more and waited for again', async () => {
  const { sim, asked, come, release, arriving } = loading()
  Object.assign(sim.sources, { arriving })
  const target = release('1.0.0', 1)
  sim.wantTarget(target)
  const run = sim.begin()
  await sim.clock.run(run, 0)
  // Once for itself and once for its setup.
  expect(asked).toHaveLength(2)
  come(release('9.0.0', 9).release)
  await sim.clock.run(run, 0)
  expect(asked).toHaveLength(4)
  come(target.release)
  await sim.clock.run(run)
  expect(await sim.settle()).toMatchObject({ phase: 'running', stable: target })
})

it('where nobody tells it is asked for again all the same', async () => {
  const { sim, asked, come, release } = loading()
  const target = release('1.0.0', 1)
  sim.wantTarget(target)
  const run = sim.begin()
  await sim.clock.run(run, 0)
  come(target.release)
  await sim.clock.run(run, 0)
  expect(asked).toHaveLength(2)
  await sim.clock.run(run)
  expect(await sim.settle()).toMatchObject({ phase: 'running', stable: target })
})
