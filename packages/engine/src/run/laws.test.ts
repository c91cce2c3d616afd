import type { RolloutPlanInput } from '@landfall/stack'
import { LandfallError } from '@landfall/stack'
import { describe, expect, it } from 'vitest'
import { type ExampleOptions, exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { FaultGate } from '../testing/fault-gate.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

function release(sim: Simulation, version: string, sequence: number, options: ExampleOptions, config = exampleConfig) {
  return sim.sources.release(version, sequence, exampleManifest(options), config)
}

async function onFirst(options: ExampleOptions = {}) {
  const sim = simulation()
  const first = release(sim, '1.0.0', 1, { code: '1', ...options })
  sim.wantTarget(first)
  await sim.settle()
  return { sim, first }
}

const events = (sim: Simulation, type: string) => sim.store.events(deploymentId).filter((event) => event.type === type)
const error = (code: string, retryable: boolean) =>
  new LandfallError({ code, message: `injected ${code}`, hint: 'none', retryable })

describe('frozen', () => {
  it('is never changed by a release; the deployment waits in needs-setup, with the difference shown', async () => {
    const { sim, first } = await onFirst()
    const spec = sim.platform.things.get('x-files')?.spec
    const changed = release(sim, '2.0.0', 2, { code: '2', extra: [{ type: 'kv', name: 'more', lifecycle: 'frozen' }] })
    sim.want({ target: changed })
    const waiting = await sim.settle()
    expect(waiting).toMatchObject({ phase: 'needs-setup', stable: first, reason: { code: 'NEEDS_SETUP' } })
    expect(
      waiting.conditions
        .filter(({ type }) => type.startsWith('SetupNeeded/'))
        .map(({ message }) => message)
        .join(),
    ).toContain('more')
    expect(sim.platform.things.has('x-more')).toBe(false)
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })

    sim.want({ setup: { release: changed.release } })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: changed })
    expect(sim.platform.things.has('x-more')).toBe(true)
    expect(sim.platform.things.get('x-files')?.spec).toBe(spec)
  })

  it('is not made before a person approved the setup', async () => {
    const sim = simulation()
    sim.want({ target: release(sim, '1.0.0', 1, {}) })
    expect(await sim.settle()).toMatchObject({ phase: 'needs-setup' })
    expect(sim.platform.log).toEqual([])
  })

  it('stays when a release no longer has it, and when it is missing is reported, not made again', async () => {
    const { sim } = await onFirst()
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', extra: [{ type: 'kv', name: 'more', lifecycle: 'frozen' }] }))
    await sim.settle()
    sim.wantTarget(release(sim, '1.2.0', 3, { code: '3' }))
    await sim.settle()
    expect(sim.platform.things.has('x-more')).toBe(true)
    sim.platform.things.delete('x-files')
    const state = await sim.settle(({ resources }) => resources.files?.phase === 'degraded')
    expect(state.resources.files?.reason?.code).toBe('MISSING')
    await sim.clock.advance(300_000)
    await sim.settle()
    expect(sim.platform.things.has('x-files')).toBe(false)
  })
})

describe('live resources', () => {
  it('go back with their target: settings too, not only traffic', async () => {
    const { sim } = await onFirst()
    const before = sim.platform.things.get('x-work')?.spec
    sim.platform.behaviour = (worker, version) => (worker === 'api' && version === '1.1.0' ? { errorRate: 0.3 } : {})
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', queueTimeout: '90s' }))
    const run = sim.begin()
    await sim.clock.advance(3_000)
    expect(sim.platform.things.get('x-work')?.spec).not.toBe(before)
    await sim.clock.run(run)
    await sim.settle()
    expect(sim.platform.things.get('x-work')?.spec).toBe(before)
  })

  it('a new version of a secret rolls out the workers that read it, and no others', async () => {
    const { sim } = await onFirst()
    const from = sim.platform.log.length
    sim.wantTarget(release(sim, '1.0.0', 1, { code: '1' }, { secrets: { key: { version: 2 } } }))
    await sim.settle()
    const log = sim.platform.log.slice(from)
    expect(log).toContain('configure x-key')
    expect(log.some((entry) => entry.startsWith('start x-api'))).toBe(true)
    expect(log.some((entry) => entry.includes('x-jobs'))).toBe(false)
  })

  it('waits for a secret that nobody gave, and says so', async () => {
    const sim = simulation()
    sim.wantTarget(release(sim, '1.0.0', 1, {}, { secrets: {} } as unknown as typeof exampleConfig))
    const state = await sim.settle(({ reason }) => reason.code === 'SECRET_NOT_PROVIDED')
    expect(state.phase).toBe('updating')
    sim.wantTarget(release(sim, '1.0.0', 1, {}))
    expect(await sim.settle()).toMatchObject({ phase: 'running' })
  })

  it('does not wait for a secret that the platform generates', async () => {
    const sim = simulation()
    const generated = { type: 'secret', name: 'own', lifecycle: 'live', providedBy: 'generated' } as const
    sim.wantTarget(release(sim, '1.0.0', 1, { extra: [generated] }))
    expect(await sim.settle()).toMatchObject({ phase: 'running' })
    expect(sim.platform.things.has('x-own')).toBe(true)
  })

  it('are made again when they are gone, and corrected by policy when they drifted', async () => {
    const { sim } = await onFirst()
    sim.platform.things.delete('x-work')
    await sim.settle(() => sim.platform.things.has('x-work'))
    const thing = sim.platform.things.get('x-work')
    if (thing) thing.drift = ['visibilityTimeout is 5s instead of 30s']
    const state = await sim.settle(({ resources }) => (resources.work?.drift.length ?? 0) > 0)
    expect(state.conditions.find(({ type }) => type === 'Drift/work')).toMatchObject({ status: 'true', code: 'DRIFT' })
    await sim.clock.advance(300_000)
    await sim.settle()
    expect(thing?.drift).toHaveLength(1)
    sim.want({ policy: { drift: 'correct', windowClose: 'finish', trustedKeys: ['vendor'] } })
    await sim.settle(({ resources }) => resources.work?.drift.length === 0)
    expect(thing?.drift).toHaveLength(0)
  })

  it('leave with the release that dropped them, workers too, after it is promoted', async () => {
    const { sim } = await onFirst()
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', without: ['jobs'] }))
    await sim.settle()
    expect(sim.platform.workers.has('x-jobs')).toBe(false)
    expect(sim.state().workers).not.toHaveProperty('jobs')
  })
})

describe('a worker that crashed or was taken away', () => {
  it('is brought back', async () => {
    const { sim } = await onFirst()
    sim.platform.workers.get('x-api')?.versions.clear()
    sim.platform.made.clear()
    await sim.settle(() => (sim.platform.workers.get('x-api')?.versions.size ?? 0) === 1)
  })
})

describe('a first release that never becomes healthy', () => {
  it('fails, serves nothing, leaves no process, and is retried only when asked', async () => {
    const sim = simulation()
    sim.platform.behaviour = (worker) =>
      worker === 'api' ? { failing: { code: 'CRASH_LOOP', message: 'exits at once' } } : {}
    sim.wantTarget(release(sim, '1.0.0', 1, {}))
    const state = await sim.settle(({ phase }) => phase === 'failed')
    expect(state.stable).toBeNull()
    expect(sim.platform.served('x-api')).toEqual({})
    expect(sim.platform.workers.get('x-api')?.versions.size).toBe(0)
    sim.platform.behaviour = () => ({})
    await sim.clock.advance(3_600_000)
    expect(await sim.settle()).toMatchObject({ phase: 'failed' })
    sim.want({ controls: [{ id: 'c1', kind: 'retry', by: 'ann', at: sim.clock.now() }] })
    expect(await sim.settle()).toMatchObject({ phase: 'running' })
  })
})

describe('a candidate that goes down while it serves', () => {
  it('leaves no weight behind: the router is set to stable before the candidate is removed', async () => {
    const { sim, first } = await onFirst()
    let down = false
    sim.platform.behaviour = (worker, version) => {
      if (worker !== 'api' || version !== '1.1.0') return {}
      down ||= (sim.platform.served('x-api')['1.1.0'] ?? 0) > 0
      return down ? { failing: { code: 'CRASH_LOOP', message: 'exits at once' } } : {}
    }
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2' }))
    expect(await sim.settle(({ rejected, phase }) => rejected.length > 0 && phase === 'running')).toMatchObject({
      stable: first,
      candidate: null,
    })
    const { shares, versions } = sim.platform.workers.get('x-api') ?? {}
    expect(Object.values(shares ?? {}).filter((share) => share > 0)).toEqual([100])
    expect(versions?.size).toBe(1)
  })
})

describe('one of several workers fails', () => {
  it('no worker was promoted, and all return', async () => {
    const { sim, first } = await onFirst()
    sim.platform.behaviour = (worker, version) =>
      worker === 'jobs' && version === '1.1.0' ? { readyAfterMs: null } : {}
    const plan = { ...quickCanary, progressDeadline: '60s' }
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', rollout: plan }))
    await sim.settle(({ rejected }) => rejected.length > 0)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
    const api = sim.store.history(deploymentId).map((state) => state.workers.api)
    for (const worker of api) if (worker?.candidate) expect(worker.stable).not.toBe(worker.candidate)
    expect(events(sim, 'deployment.promoted')).toHaveLength(1)
    // Passed by itself, it waited for its peer below its promotion.
    expect(sim.platform.log.some((entry) => entry === 'route x-api 1.1.0=100')).toBe(false)
  })
})

describe('after the promotion', () => {
  it('a failure inside the rollback window takes all workers back', async () => {
    const plan = {
      ...quickCanary,
      steps: [{ share: 50, bake: '2s' }],
      rollbackWindow: '5m',
      postPromotion: [{ kind: 'threshold' as const, metric: 'error-rate' as const, max: 0.05 }],
    }
    const { sim, first } = await onFirst({ rollout: plan })
    const second = release(sim, '1.1.0', 2, { code: '2', rollout: plan })
    sim.wantTarget(second)
    const promoted = await sim.settle(({ stable, phase }) => stable?.digest === second.digest && phase === 'running')
    expect(promoted).toMatchObject({ previous: first, reason: { code: 'ROLLBACK_WINDOW' } })
    expect(sim.platform.workers.get('x-api')?.versions.size).toBe(2)
    sim.platform.behaviour = (worker, version) => (worker === 'api' && version === '1.1.0' ? { errorRate: 0.5 } : {})
    const state = await sim.settle(
      ({ stable, phase }) => stable?.digest === first.digest && phase === 'running',
      280_000,
    )
    expect(state.rejected.map(({ target }) => target)).toEqual([second.digest])
    for (const worker of ['x-api', 'x-jobs']) expect(sim.platform.served(worker)).toEqual({ '1.0.0': 100 })
  })

  it('old versions go when the window is over', async () => {
    const plan = { ...quickCanary, rollbackWindow: '2m' }
    const { sim } = await onFirst({ rollout: plan })
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', rollout: plan }))
    const state = await sim.settle(({ reason }) => reason.code === 'RUNNING')
    expect(state.previous).toBeNull()
    expect(sim.platform.workers.get('x-api')?.versions.size).toBe(1)
  })
})

describe('a deployment that is sent back to nothing after it was promoted', () => {
  it('keeps what it runs, and says so', async () => {
    const { sim } = await onFirst()
    sim.wantTarget(null)
    const state = await sim.settle()
    expect(state).toMatchObject({ phase: 'running', reason: { code: 'NOTHING_ASKED' } })
    expect(state.reason.message).not.toContain('No release has reached')
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
  })
})

describe('a setup that is stuck', () => {
  it('keeps no person from aborting, and no earlier target from coming back', async () => {
    for (const way of ['abort', 'return'] as const) {
      const { sim, first } = await onFirst()
      const slow: RolloutPlanInput = { strategy: 'canary', steps: [{ share: 20, bake: '1h' }] }
      const second = release(sim, '1.1.0', 2, { code: '2', rollout: slow })
      sim.wantTarget(second)
      const run = sim.begin()
      await sim.clock.advance(4_000)
      expect(sim.platform.served('x-api')).toHaveProperty(['1.1.0'])
      // A setup that is approved mid-way, of a release that can not be read now.
      const other = release(sim, '1.2.0', 3, { code: '3' })
      sim.sources.refused.add(other.release)
      sim.want({ setup: { release: other.release } })
      await sim.clock.advance(2_000)
      if (way === 'abort') sim.want({ controls: [{ id: 'c1', kind: 'abort', by: 'ada', at: sim.clock.now() }] })
      else sim.want({ target: first })
      await sim.clock.advance(5_000)
      expect(sim.platform.served('x-api'), way).toEqual({ '1.0.0': 100 })
      sim.sources.refused.clear()
      await sim.clock.run(run)
    }
  })
})

describe('downgrades and signatures', () => {
  it('refuses an older sequence, but returns to what was stable here before', async () => {
    const { sim, first } = await onFirst()
    const second = release(sim, '1.1.0', 5, { code: '2' })
    sim.wantTarget(second)
    await sim.settle()
    const older = release(sim, '1.0.5', 3, { code: '1.5' })
    sim.want({ target: older })
    const refused = await sim.settle()
    expect(refused).toMatchObject({ phase: 'running', stable: second, reason: { code: 'E_SEQUENCE_OLDER' } })
    expect(sim.platform.served('x-api')).toEqual({ '1.1.0': 100 })
    sim.want({ target: first })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, sequence: 5 })
  })

  it('runs nothing that is not signed by a trusted key', async () => {
    const { sim, first } = await onFirst()
    const tampered = release(sim, '1.1.0', 2, { code: '2' })
    sim.sources.refused.add(tampered.release)
    const changes = sim.platform.log.length
    sim.want({ target: tampered })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, reason: { code: 'E_SIGNATURE' } })
    expect(sim.platform.log.length).toBe(changes)
  })
})

describe('a lost lease', () => {
  it('persists nothing and does nothing more', async () => {
    const { sim } = await onFirst()
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2' }))
    const gate = new FaultGate()
    const run = sim.begin(gate)
    await sim.clock.advance(3_000)
    // Its clock ran, but it was not scheduled: another runner's claim is granted when the lease is over.
    const store = sim.store
    const renew = store.renew.bind(store)
    store.renew = async () => Promise.reject(error('E_UNAVAILABLE', true))
    await sim.clock.advance(20_000)
    store.renew = renew
    expect(await sim.clock.run(run)).toBe('lost')
    expect(gate.trace.at(-1)).not.toContain('release')
    expect(await sim.settle()).toMatchObject({ phase: 'running' })
  })

  it('a stale epoch changes nothing', async () => {
    const { sim } = await onFirst()
    const stale = await sim.store.claim('old', 1_000, deploymentId)
    await sim.clock.advance(2_000)
    await sim.store.claim('new', 60_000, deploymentId)
    const before = JSON.stringify(sim.state())
    if (!stale?.state) throw new Error('not claimed')
    await expect(sim.store.persist(stale.lease, { ...stale.state, phase: 'failed' }, [])).rejects.toMatchObject({
      code: 'E_STALE_EPOCH',
    })
    expect(JSON.stringify(sim.state())).toBe(before)
  })
})

describe('access', () => {
  it('revoked in the middle of a rollout parks, probes slowly, and goes on by itself', async () => {
    const { sim } = await onFirst()
    const second = release(sim, '1.1.0', 2, { code: '2' })
    sim.wantTarget(second)
    const run = sim.begin()
    await sim.clock.advance(4_000)
    sim.platform.revoked = true
    await sim.clock.run(run)
    expect(sim.state()).toMatchObject({ phase: 'access-revoked', reason: { code: 'ACCESS_REVOKED' } })
    const gate = new FaultGate()
    const parkedFor = 600_000
    const end = sim.clock.now() + parkedFor
    while (sim.clock.now() < end) {
      await sim.claim(gate)
      await sim.clock.advance(Math.max(1_000, (sim.store.dueAt(deploymentId) ?? 0) - sim.clock.now()))
    }
    const calls = gate.trace.filter((entry) => entry.startsWith('before platform'))
    expect(new Set(calls)).toEqual(new Set(['before platform.probe']))
    expect(calls.length).toBeLessThanOrEqual(15)
    expect(calls.length).toBeGreaterThan(5)
    sim.platform.revoked = false
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
    expect(events(sim, 'access.revoked')).toHaveLength(1)
  })

  it('time in which nobody could look counts as no bake, and toward no deadline', async () => {
    for (const [ms, readyAfterMs] of [
      [300, 7_202_000],
      [4_000, 0],
    ] as const) {
      const { sim } = await onFirst()
      const second = release(sim, '1.1.0', 2, { code: '2' })
      // At first the candidate is still starting, so its deadline runs; later it bakes at its first step.
      sim.platform.behaviour = () => ({ readyAfterMs })
      sim.wantTarget(second)
      const run = sim.begin()
      await sim.clock.advance(ms)
      sim.platform.revoked = true
      await sim.clock.run(run)
      expect(sim.state().phase).toBe('access-revoked')
      await sim.clock.advance(7_200_000)
      sim.platform.revoked = false
      const back = sim.clock.now()
      expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
      const held = events(sim, 'rollout.promoting').filter((event) => event.at >= back)
      expect((held[0]?.at ?? back) - back).toBeGreaterThanOrEqual(10_000)
    }
  })
})

describe('failing calls', () => {
  it('throttling uses up no budget', async () => {
    const { sim } = await onFirst()
    let throttled = 0
    const second = release(sim, '1.1.0', 2, { code: '2', queueTimeout: '60s' })
    sim.wantTarget(second)
    const gate = new FaultGate(({ call, side }) =>
      side === 'before' && call.endsWith('queue.ensure') && throttled++ < 30
        ? { kind: 'throw', error: error('E_THROTTLED', true) }
        : null,
    )
    while (throttled < 30) {
      await sim.claim(gate)
      await sim.clock.advance(5_000)
    }
    expect(sim.state().rejected).toEqual([])
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
  })

  it('a retryable failure is tried 8 times with growing pauses, then the deployment goes back', async () => {
    const { sim, first } = await onFirst()
    sim.wantTarget(release(sim, '1.1.0', 2, { code: '2', queueTimeout: '60s' }))
    const at: number[] = []
    const gate = new FaultGate(({ call, side }) => {
      if (side !== 'before' || !call.endsWith('queue.ensure')) return null
      at.push(sim.clock.now())
      return { kind: 'throw', error: error('E_BUSY', true) }
    })
    while (sim.state().rejected.length === 0) {
      await sim.claim(gate)
      await sim.clock.advance(1_000)
    }
    expect(at.length).toBeGreaterThanOrEqual(8)
    expect(sim.state().rejected[0]).toMatchObject({ code: 'E_BUSY' })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
  })

  it('what carries the tag of another owner is never adopted', async () => {
    const sim = simulation()
    sim.platform.things.set('x-files', { spec: 'theirs', owner: 'someone', drift: [] })
    sim.wantTarget(release(sim, '1.0.0', 1, {}))
    const state = await sim.settle(({ resources }) => resources.files?.phase === 'failed')
    expect(state.resources.files?.reason?.code).toBe('E_FOREIGN')
    expect(sim.platform.things.get('x-files')).toEqual({ spec: 'theirs', owner: 'someone', drift: [] })
  })
})

describe('controls', () => {
  it('pause holds the share, resume goes on, each once', async () => {
    const { sim } = await onFirst()
    const second = release(sim, '1.1.0', 2, { code: '2' })
    sim.wantTarget(second)
    const run = sim.begin()
    await sim.clock.advance(4_000)
    const pause = { id: 'p', kind: 'pause' as const, by: 'ann', at: sim.clock.now() }
    sim.want({ controls: [pause] })
    await sim.clock.run(run, 50_000)
    const share = sim.platform.served('x-api')
    await sim.clock.advance(600_000)
    expect(sim.platform.served('x-api')).toEqual(share)
    expect(Object.keys(share)).toHaveLength(2)
    sim.want({ controls: [pause, { id: 'r', kind: 'resume', by: 'ann', at: sim.clock.now() }] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
  })

  it('abort takes everything back within a reconcile, and the target stays back until a retry', async () => {
    const { sim, first } = await onFirst()
    const second = release(sim, '1.1.0', 2, { code: '2' })
    sim.wantTarget(second)
    const run = sim.begin()
    await sim.clock.advance(8_000)
    const abort = { id: 'a', kind: 'abort' as const, by: 'ann', at: sim.clock.now() }
    sim.want({ controls: [abort] })
    await sim.clock.advance(1_000)
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, reason: { code: 'ABORTED' } })
    sim.want({ controls: [abort, { id: 'r', kind: 'retry', by: 'ann', at: sim.clock.now() }] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
  })
})
