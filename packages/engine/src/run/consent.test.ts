import type { MaintenanceWindow } from '@landfall/stack'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { windowsAt } from '../consent/windows-at.ts'
import type { Answer, Desired, Target } from '../ports/desired.ts'
import { exampleConfig, exampleManifest, quickCanary } from '../testing/example-stack.ts'
import { FaultGate } from '../testing/fault-gate.ts'
import { deploymentId, type Simulation, simulation } from '../testing/simulation.ts'

// Hours are simulated step by step; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 })

const release = (sim: Simulation, version: string, sequence: number, config = exampleConfig) =>
  sim.sources.release(version, sequence, exampleManifest({ code: version }), config)
const customer = (patch: Partial<Desired['customer']> = {}): Desired['customer'] => ({
  updates: 'automatic',
  access: 'granted',
  windows: [],
  ...patch,
})
const answer = (target: Target, status: 'pass' | 'fail', at: number, more: Partial<Answer> = {}): Answer => ({
  gate: 'update',
  target: target.digest,
  status,
  by: 'ann',
  at,
  ...more,
})
/** The simulation begins on the 1st of January 2026 at 00:00Z. */
const start = Date.UTC(2026, 0, 1)
const window = (rrule: string, from: string, duration: string): MaintenanceWindow => ({
  rrule,
  start: `2026-01-${from}`,
  duration,
  timeZone: 'UTC',
})
const events = (sim: Simulation, type: string) => sim.store.events(deploymentId).filter((event) => event.type === type)

/** Lets time pass, with runs whenever one is due. */
async function pass(sim: Simulation, ms: number): Promise<void> {
  const end = sim.clock.now() + ms
  while (sim.clock.now() < end) {
    await sim.claim(new FaultGate(), end - sim.clock.now())
    await sim.clock.advance(Math.min(60_000, Math.max(0, end - sim.clock.now())))
  }
}

async function onFirst() {
  const sim = simulation()
  const first = release(sim, '1.0.0', 1)
  sim.wantTarget(first)
  await sim.settle()
  return { sim, first, second: release(sim, '1.1.0', 2) }
}

describe('approval', () => {
  it('of one target lets no other in; the later answer counts', async () => {
    const { sim, first, second } = await onFirst()
    const third = release(sim, '1.2.0', 3)
    const ask = { customer: customer({ updates: 'approval' }) }
    sim.wantTarget(second, ask)
    const reason = async () => (await sim.settle()).reason
    expect(await reason()).toMatchObject({ code: 'WAITS_FOR_APPROVAL' })
    sim.wantTarget(third, { answers: [answer(second, 'pass', 1)] })
    expect(await reason()).toMatchObject({ code: 'WAITS_FOR_APPROVAL' })
    sim.want({ answers: [answer(third, 'pass', 1, { gate: 'step-0.0.approval' })] })
    expect(await reason()).toMatchObject({ code: 'WAITS_FOR_APPROVAL' })
    sim.want({ answers: [answer(third, 'fail', 2, { message: 'not before Easter' }), answer(third, 'pass', 1)] })
    expect(await reason()).toMatchObject({ code: 'UPDATE_REFUSED', message: 'Refused by ann: not before Easter' })
    expect(sim.state()).toMatchObject({ phase: 'running', stable: first, candidate: null, rejected: [] })
    sim.want({ answers: [answer(third, 'fail', 2), answer(third, 'pass', 3)] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: third })
  })

  it('is asked for a first deployment too, after its setup', async () => {
    const sim = simulation()
    const first = release(sim, '1.0.0', 1)
    sim.wantTarget(first, { customer: customer({ updates: 'approval' }) })
    expect(await sim.settle()).toMatchObject({ phase: 'pending', reason: { code: 'WAITS_FOR_APPROVAL' } })
    expect(sim.platform.workers.size).toBe(0)
    sim.want({ answers: [answer(first, 'pass', 1)] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
  })

  it('is asked for a change of config alone, as that is another target', async () => {
    const { sim, first } = await onFirst()
    const changed = release(sim, '1.0.0', 1, { secrets: { key: { version: 2 } } })
    expect(changed.release).toBe(first.release)
    sim.wantTarget(changed, { customer: customer({ updates: 'approval' }), answers: [answer(first, 'pass', 1)] })
    expect(await sim.settle()).toMatchObject({ stable: first, reason: { code: 'WAITS_FOR_APPROVAL' } })
  })

  it.each(['approval', 'automatic'] as const)('refused on the way goes back, with updates %s', async (updates) => {
    const { sim, first, second } = await onFirst()
    sim.wantTarget(second, { customer: customer({ updates }), answers: [answer(second, 'pass', 1)] })
    const run = sim.begin()
    await sim.clock.advance(8_000)
    expect(sim.platform.served('x-api')).toHaveProperty(['1.1.0'])
    sim.want({ answers: [answer(second, 'pass', 1), answer(second, 'fail', 2)] })
    await sim.clock.advance(1_000)
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, reason: { code: 'UPDATE_REFUSED' } })
  })

  it('a return to what was stable needs neither approval nor window, with updates paused', async () => {
    const { sim, first, second } = await onFirst()
    sim.wantTarget(second)
    await sim.settle()
    await sim.clock.advance(3_600_000)
    const shut = [window('FREQ=YEARLY', '01T00:00', '1m')]
    for (const updates of ['approval', 'paused', 'automatic'] as const) {
      sim.wantTarget(first, { customer: customer({ updates, windows: shut }) })
      expect(
        await sim.settle(({ stable, phase }) => phase === 'running' && stable?.digest === first.digest),
      ).toBeTruthy()
      sim.wantTarget(second, { customer: customer({ updates, windows: shut }) })
      expect(
        await sim.settle(({ stable, phase }) => phase === 'running' && stable?.digest === second.digest),
      ).toBeTruthy()
    }
  })
})

describe('paused updates', () => {
  it('let nothing begin, whatever was approved, and what is under way finish', async () => {
    const { sim, first, second } = await onFirst()
    sim.wantTarget(second, { customer: customer({ updates: 'paused' }), answers: [answer(second, 'pass', 1)] })
    expect(await sim.settle()).toMatchObject({ stable: first, reason: { code: 'UPDATES_PAUSED' } })
    sim.want({ customer: customer() })
    const run = sim.begin()
    await sim.clock.advance(4_000)
    sim.want({ customer: customer({ updates: 'paused' }) })
    await sim.clock.run(run)
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
  })
})

describe('maintenance windows', () => {
  it('wake the deployment when they open', async () => {
    const { sim, first, second } = await onFirst()
    const opens = Date.UTC(2026, 0, 1, 0, 40)
    sim.wantTarget(second, { customer: customer({ windows: [window('FREQ=WEEKLY;BYDAY=TH', '01T00:40', '4h')] }) })
    const waiting = await sim.settle()
    expect(waiting).toMatchObject({ stable: first, reason: { code: 'WAITS_FOR_WINDOW' } })
    expect(waiting.reason.message).toContain('2026-01-01T00:40Z')
    expect(sim.store.dueAt(deploymentId)).toBeLessThanOrEqual(opens)
    const state = await sim.settle(({ stable }) => stable?.digest === second.digest, 7 * 86_400_000)
    expect(state.phase).not.toBe('failed')
    const began = events(sim, 'deployment.updating').at(-1)
    expect(began?.at).toBeGreaterThanOrEqual(opens)
    expect(began?.at).toBeLessThan(opens + 1_000)
  })

  it.each(['finish', 'abort'] as const)('that close mid-way: %s, never a split that rests', async (windowClose) => {
    const { sim, first, second } = await onFirst()
    // Open for a minute from 00:30; the rollout takes longer, because a person pauses it.
    await sim.clock.advance(start + 1_800_000 - sim.clock.now())
    const windows = [window('FREQ=DAILY;BYHOUR=0;BYMINUTE=30,45', '01T00:30', '1m')]
    const policy = { drift: 'report' as const, windowClose, trustedKeys: ['vendor' as const] }
    sim.wantTarget(second, { policy, customer: customer({ windows }) })
    const run = sim.begin()
    await sim.clock.advance(8_000)
    expect(Object.keys(sim.platform.served('x-api'))).toHaveLength(2)
    sim.want({ controls: [{ id: 'p', kind: 'pause', by: 'ann', at: sim.clock.now() }] })
    await sim.clock.run(run, 1_000)
    const split = sim.platform.served('x-api')
    // Nobody touches it: it wakes by itself when the window closes.
    const until = start + 1_800_000 + 65_000
    while (sim.clock.now() < until) {
      const due = sim.store.dueAt(deploymentId)
      if (due !== null && due <= sim.clock.now()) await sim.claim(new FaultGate(), Math.max(1, until - sim.clock.now()))
      await sim.clock.advance(500)
    }
    if (windowClose === 'finish') {
      expect(sim.platform.served('x-api')).toEqual(split)
      sim.want({ controls: [{ id: 'r', kind: 'resume', by: 'ann', at: sim.clock.now() }] })
      expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
      return
    }
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 100 })
    expect(await sim.settle()).toMatchObject({ stable: first, reason: { code: 'WAITS_FOR_WINDOW' }, rejected: [] })
    sim.want({ controls: [] })
    const done = await sim.settle(({ stable }) => stable?.digest === second.digest, 2 * 3_600_000)
    expect(done.stable).toEqual(second)
    expect(sim.clock.now()).toBeGreaterThan(Date.UTC(2026, 0, 1, 0, 45))
  })
})

describe('access that the customer revoked', () => {
  it('parks mid-rollout with nothing at all done in the environment, and goes on when granted', async () => {
    const { sim, second } = await onFirst()
    sim.wantTarget(second)
    const run = sim.begin()
    await sim.clock.advance(4_000)
    sim.want({ customer: customer({ access: 'revoked' }) })
    await sim.clock.run(run)
    expect(sim.state()).toMatchObject({ phase: 'access-revoked', reason: { code: 'REVOKED_BY_CUSTOMER' } })
    const gate = new FaultGate()
    for (let hours = 0; hours < 48; hours++) {
      await sim.claim(gate)
      await sim.clock.advance(3_600_000)
    }
    expect(gate.trace.filter((entry) => entry.includes('platform.'))).toEqual([])
    expect(sim.store.dueAt(deploymentId)).toBeNull()
    // A new target does not wake it either.
    sim.wantTarget(release(sim, '1.2.0', 3))
    await sim.claim(gate)
    expect(gate.trace.filter((entry) => entry.includes('platform.'))).toEqual([])
    sim.wantTarget(second, { customer: customer() })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second, parked: null })
    expect(events(sim, 'access.revoked')).toHaveLength(1)
    expect(events(sim, 'access.restored')).toHaveLength(1)
  })

  it('before anything was made, then granted: the setup begins', async () => {
    const sim = simulation()
    const first = release(sim, '1.0.0', 1)
    sim.wantTarget(first, { customer: customer({ access: 'revoked' }) })
    expect(await sim.settle()).toMatchObject({ phase: 'access-revoked' })
    expect(sim.platform.log).toEqual([])
    sim.want({ customer: customer() })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
  })

  it('takes the place of a refusing environment, whose probes end; granted, those begin again', async () => {
    const { sim, first } = await onFirst()
    sim.platform.revoked = true
    await sim.settle(({ phase }) => phase === 'access-revoked')
    sim.want({ customer: customer({ access: 'revoked' }) })
    const gate = new FaultGate()
    await sim.claim(gate)
    expect(gate.trace.filter((entry) => entry.includes('platform.'))).toEqual([])
    expect(sim.store.dueAt(deploymentId)).toBeNull()
    sim.want({ customer: customer() })
    expect(await sim.settle(({ reason }) => reason.code === 'ACCESS_REVOKED')).toMatchObject({
      phase: 'access-revoked',
    })
    sim.platform.revoked = false
    expect(await sim.settle(({ parked }) => !parked)).toMatchObject({ stable: first })
  })

  it('a destroy waits, says so, and is done once access is granted', async () => {
    const { sim } = await onFirst()
    const before = sim.platform.log.length
    sim.want({ operation: 'destroy', customer: customer({ access: 'revoked' }) })
    const waiting = await sim.settle(({ phase }) => phase === 'access-revoked')
    expect(waiting.reason.message).toContain('taking everything away waits')
    expect(sim.platform.log).toHaveLength(before)
    sim.want({ customer: customer() })
    expect(await sim.settle(({ phase }) => phase === 'deleted')).toMatchObject({ phase: 'deleted' })
    expect(sim.platform.things.size).toBe(0)
  })
})

describe('an approval gate of a plan', () => {
  const [step, ...steps] = quickCanary.steps
  const gated = { ...quickCanary, steps: [{ share: 20, ...step, gates: [{ kind: 'approval' as const }] }, ...steps] }

  async function atGate() {
    const { sim, first } = await onFirst()
    const second = sim.sources.release('1.1.0', 2, exampleManifest({ code: '1.1.0', rollout: gated }), exampleConfig)
    sim.wantTarget(second)
    const run = sim.begin()
    await sim.clock.run(run, 20_000)
    expect(sim.platform.served('x-api')).toEqual({ '1.0.0': 80, '1.1.0': 20 })
    return { sim, first, second }
  }

  it('is answered by its id, or by worker and id, for the target of the candidate alone', async () => {
    const { sim, first, second } = await atGate()
    const gate = 'step-0.0.approval'
    const still = async (answers: Answer[]) => {
      sim.want({ answers })
      await pass(sim, 5_000)
      return sim.platform.served('x-api')
    }
    const held = { '1.0.0': 80, '1.1.0': 20 }
    expect(await still([answer(first, 'pass', 1, { gate })])).toEqual(held)
    expect(await still([answer(second, 'pass', 1)])).toEqual(held)
    expect(await still([answer(second, 'pass', 1, { gate: `jobs/${gate}` })])).toEqual(held)
    sim.want({
      answers: [
        answer(second, 'pass', 1, { gate: `jobs/${gate}` }),
        answer(second, 'pass', 2, { gate: `api/${gate}` }),
      ],
    })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: second })
  })

  it('refused takes the deployment back', async () => {
    const { sim, first, second } = await atGate()
    sim.want({ answers: [answer(second, 'fail', 1, { gate: 'api/step-0.0.approval' })] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first, reason: { code: 'gate-failed' } })
  })

  it('a later refusal by the general id counts over an earlier approval by worker', async () => {
    const { sim, first, second } = await atGate()
    const gate = 'step-0.0.approval'
    sim.want({ answers: [answer(second, 'fail', 2, { gate }), answer(second, 'pass', 1, { gate: `api/${gate}` })] })
    expect(await sim.settle()).toMatchObject({ stable: first })
  })

  it('of another kind is not answered by a person', async () => {
    const { sim, first } = await onFirst()
    const webhook = { kind: 'webhook', url: 'https://gate.test/', timeout: '10s' } as const
    const plan = { ...quickCanary, steps: [{ share: 20, ...step, gates: [webhook] }, ...steps] }
    sim.sources.gates = { ask: async () => ({ status: 'fail', message: 'the tests are red' }) }
    const second = sim.sources.release('1.1.0', 2, exampleManifest({ code: '1.1.0', rollout: plan }), exampleConfig)
    sim.wantTarget(second, { answers: [answer(second, 'pass', 1, { gate: 'step-0.0.webhook' })] })
    expect(await sim.settle()).toMatchObject({ phase: 'running', stable: first })
  })
})

describe('laws', () => {
  const shut = [window('FREQ=DAILY;BYHOUR=0,1,2,3,4,5', '01T00:10', '20m')]
  const change = fc.record({
    target: fc.nat(3),
    updates: fc.constantFrom('automatic' as const, 'approval' as const, 'paused' as const),
    windows: fc.constantFrom([], shut),
    access: fc.constantFrom('granted' as const, 'granted' as const, 'revoked' as const),
    windowClose: fc.constantFrom('finish' as const, 'abort' as const),
    answers: fc.array(fc.tuple(fc.nat(3), fc.constantFrom('pass' as const, 'fail' as const)), { maxLength: 2 }),
    forMs: fc.constantFrom(200, 3_000, 9_000, 40_000, 2_400_000),
  })

  it('nothing begins without consent, nothing is touched while revoked, nothing rests on a split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 3, maxLength: 6 }), async (changes) => {
        const sim = simulation()
        const targets = [0, 1, 2, 3].map((index) => release(sim, `1.${index}.0`, index + 1))
        const at = (index: number) => targets[index] as Target
        sim.wantTarget(at(0))
        await sim.settle()
        const given: Answer[] = []
        for (const { target, answers, forMs, windowClose, ...settings } of changes) {
          for (const [index, status] of answers) given.push(answer(at(index), status, sim.clock.now() + given.length))
          const policy = { drift: 'report' as const, windowClose, trustedKeys: ['vendor' as const] }
          sim.wantTarget(at(target), { policy, answers: [...given], customer: customer(settings) })
          const seen = sim.store.events(deploymentId).length
          // What ran before the change was asked with the settings before.
          const history = [sim.state().stable, ...(sim.state().history ?? [])].map((one) => one?.digest)
          if (settings.access === 'revoked') {
            // A run that is under way sees it at its next step; calls that are out come back.
            await pass(sim, 2_000)
            expect(sim.state().phase).toBe('access-revoked')
            const log = sim.platform.log.length
            await pass(sim, forMs)
            expect(sim.state().phase).toBe('access-revoked')
            expect(sim.platform.log).toHaveLength(log)
          } else await pass(sim, forMs)
          for (const event of sim.store.events(deploymentId).slice(seen)) {
            if (event.type !== 'deployment.updating') continue
            const digest = (event.data as { target: string }).target
            expect(digest).toBe(at(target).digest)
            if (history.includes(digest)) continue
            expect(settings.updates).not.toBe('paused')
            expect(windowsAt(settings.windows, event.at).open).toBe(true)
            const last = given.filter((one) => one.target === digest).at(-1)
            expect(last?.status).not.toBe('fail')
            if (settings.updates === 'approval') expect(last?.status).toBe('pass')
          }
          if (!['updating', 'returning', 'access-revoked'].includes(sim.state().phase)) {
            expect(Object.values(sim.platform.served('x-api'))).toEqual([100])
          }
        }
        // In the end everything is allowed: it arrives.
        sim.wantTarget(at(3), {
          customer: customer(),
          answers: [...given, answer(at(3), 'pass', sim.clock.now() + 1e6)],
        })
        expect(
          await sim.settle(({ stable, phase }) => phase === 'running' && stable?.digest === at(3).digest),
        ).toBeTruthy()
      }),
      { numRuns: 20 },
    )
  }, 240_000)
})
