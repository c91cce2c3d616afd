import { describe, expect, it } from 'vitest'
import type { Desired } from '../ports/desired.ts'
import {
  exampleConfig,
  exampleManifest,
  MemoryPlatform,
  MemorySources,
  MemoryStore,
  SimClock,
  seededRandom,
} from '../testing/index.ts'
import { createRunner } from './create-runner.ts'

function setup(deployments: number) {
  const clock = new SimClock()
  const platform = new MemoryPlatform(clock)
  const store = new MemoryStore(clock)
  const sources = new MemorySources()
  const target = sources.release('1.0.0', 1, exampleManifest(), exampleConfig)
  const ids = Array.from({ length: deployments }, (_, index) => `d${index}`)
  const desired = (id: string): Desired => ({
    generation: 1,
    deployment: { id, name: id, project: 'shop', prefix: id, platform: 'local', model: 'push', environment: {} },
    operation: 'run',
    target,
    setup: { release: target.release },
    controls: [],
    customer: { updates: 'automatic', access: 'granted', windows: [] },
    answers: [],
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
  })
  for (const id of ids) store.put(desired(id))
  const runner = (owner: string, concurrency: number) =>
    createRunner({
      store,
      platform,
      verifier: sources,
      config: sources.config,
      blobs: sources.blobs,
      metrics: sources.metrics,
      gates: sources.gates,
      clock,
      random: seededRandom(1),
      log: { info() {}, warn() {} },
      owner,
      concurrency,
    })
  return { clock, platform, store, ids, runner, desired }
}

describe('createRunner', () => {
  it('brings all due deployments to their target, never more at once than it may', async () => {
    const { clock, store, ids, runner } = setup(7)
    const one = runner('one', 2)
    one.start()
    let most = 0
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000)
      most = Math.max(most, one.active)
    }
    expect(ids.map((id) => store.state(id)?.phase)).toEqual(ids.map(() => 'running'))
    expect(most).toBe(2)
    await clock.run(one.stop())
  })

  it('stops gracefully: leases are given up at once, and another runner goes on', async () => {
    const { clock, platform, store, ids, runner } = setup(3)
    const one = runner('one', 3)
    one.start()
    await clock.advance(250)
    const before = clock.now()
    await clock.run(one.stop())
    expect(one.active).toBe(0)
    expect(clock.now() - before).toBeLessThan(1_000)
    const two = runner('two', 3)
    two.start()
    await clock.advance(60_000)
    expect(ids.map((id) => store.state(id)?.phase)).toEqual(ids.map(() => 'running'))
    for (const [thing, times] of platform.made) expect(times, thing).toBe(1)
    await clock.run(two.stop())
  })

  it('two runners share the work without doing anything twice', async () => {
    const { clock, platform, store, ids, runner } = setup(6)
    const runners = [runner('one', 2), runner('two', 2)]
    for (const one of runners) one.start()
    await clock.advance(120_000)
    expect(ids.map((id) => store.state(id)?.phase)).toEqual(ids.map(() => 'running'))
    for (const [thing, times] of platform.made) expect(times, thing).toBe(1)
    await clock.run(Promise.all(runners.map((one) => one.stop())))
  })

  it('a wake shortens the wait for work', async () => {
    const { clock, store, runner, desired } = setup(1)
    const one = runner('one', 1)
    one.start()
    await clock.advance(60_000)
    // Idle now: its next look is at most 1.5 s away, a woken one comes at once.
    store.put({ ...desired('late') })
    one.wake()
    await clock.advance(1)
    expect(store.state('late')).not.toBeNull()
    await clock.run(one.stop())
  })
})
