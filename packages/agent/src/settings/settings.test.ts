import { type Desired, initialState } from '@landfall/engine'
import { type CustomerSettings, customerSettings } from '@landfall/stack'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AgentState } from '../state/agent-state.ts'
import { newKey, scratch } from '../testing/scratch.ts'
import { customerInForce, desiredInForce } from './customer-in-force.ts'
import { openSettings } from './settings.ts'

const files = scratch()
afterAll(() => files.remove())

const target = `sha256:${'a'.repeat(64)}` as const
const answer = (by: string) => ({ gate: 'update', target, status: 'pass' as const, by, at: 1 })
const ordered = (more: Partial<CustomerSettings> = {}): CustomerSettings => ({ ...customerSettings.parse({}), ...more })
const window = { rrule: 'FREQ=DAILY', start: '2026-01-01T02:00', duration: '1h', timeZone: 'UTC' }
const desired: Desired = {
  generation: 1,
  deployment: { id: 'd', name: 'd', project: 'p', prefix: 'd', platform: 'local', model: 'pull', environment: {} },
  operation: 'run',
  target: null,
  setup: null,
  controls: [],
  customer: { updates: 'automatic', access: 'granted', windows: [] },
  answers: [answer('portal')],
  policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
}

describe('the settings in force', () => {
  it('are those of the order with those of the agent over them, whatever they are', () => {
    const some = fc.record(
      {
        updates: fc.constantFrom('automatic' as const, 'approval' as const, 'paused' as const),
        approvals: fc.constantFrom('portal' as const, 'agent' as const),
        access: fc.constantFrom('granted' as const, 'revoked' as const),
        telemetry: fc.constantFrom('on' as const, 'errors-only' as const, 'off' as const),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(some, some, fc.boolean(), (portal, local, clockOff) => {
        const force = customerInForce(ordered(portal), local)
        expect(force).toEqual({ ...ordered(portal), ...local })
        const shown = desiredInForce(
          desired,
          ordered({ ...portal, windows: [window] }),
          {
            settings: local,
            answers: [answer('here')],
            clockOff,
            setup: null,
          },
          null,
        )
        expect(shown.customer.access).toBe(force.access)
        expect(shown.customer.updates).toBe(clockOff ? 'paused' : force.updates)
        const from = shown.answers.map(({ by }) => by)
        expect(from).toEqual(force.approvals === 'agent' ? ['here'] : ['portal', 'here'])
      }),
    )
  })

  it('a clock that is off holds nothing where there are no windows', () => {
    const shown = desiredInForce(desired, ordered(), { settings: {}, answers: [], clockOff: true, setup: null }, null)
    expect(shown.customer.updates).toBe('automatic')
  })

  it('a demand for approvals at the agent is not taken back by an order, only here; all of it survives a restart', () => {
    const [directory, key] = [files.path(), newKey()]
    const state = AgentState.open(directory, key)
    const settings = openSettings(state)
    settings.takeOrdered(ordered({ approvals: 'agent' }))
    settings.takeOrdered(ordered({ approvals: 'portal', updates: 'approval' }))
    expect(settings.inForce()).toMatchObject({ approvals: 'agent', updates: 'approval' })
    settings.change({ updates: 'paused' })
    settings.addAnswer(answer('here'))
    settings.setClockOff(true)
    state.close()
    const again = openSettings(AgentState.open(directory, key))
    expect(again.inForce()).toMatchObject({ approvals: 'agent', updates: 'paused' })
    expect(again.answers()).toEqual([answer('here')])
    expect(again.clockOff()).toBe(true)
    expect(again.change({ updates: null, approvals: 'portal' })).toMatchObject({
      approvals: 'portal',
      updates: 'approval',
    })
    again.takeOrdered(ordered({ approvals: 'agent' }))
    // What was said here stays what counts here.
    expect(again.inForce().approvals).toBe('portal')
  })

  it('where approvals count here, an order closes and never opens; what was opened here stays open', () => {
    const settings = openSettings(AgentState.open(files.path(), newKey()))
    const closed = { updates: 'approval', telemetry: 'off', access: 'revoked', windows: [window] } as const
    settings.takeOrdered(ordered({ ...closed, windows: [window] }))
    settings.takeOrdered(ordered())
    expect(settings.inForce()).toEqual(ordered())
    settings.takeOrdered(ordered({ ...closed, windows: [window] }))
    settings.change({ approvals: 'agent' })
    settings.takeOrdered(ordered())
    expect(settings.inForce()).toEqual(ordered({ ...closed, windows: [window], approvals: 'agent' }))
    expect(settings.change({ access: 'granted', telemetry: 'on' })).toMatchObject({
      access: 'granted',
      telemetry: 'on',
    })
    settings.takeOrdered(ordered({ access: 'revoked' }))
    expect(settings.inForce()).toMatchObject({ access: 'granted', updates: 'approval', telemetry: 'on' })
  })

  it('where approvals count here, a setup counts that was approved here, or that was carried out before', () => {
    const [one, two] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`] as const
    const shown = (setup: typeof one | null, done: typeof one | null, approvals: 'agent' | 'portal' = 'agent') => {
      const local = { settings: { approvals }, answers: [], clockOff: false, setup }
      const state = done === null ? null : { ...initialState(0), setup: done }
      return desiredInForce({ ...desired, setup: { release: two } }, ordered(), local, state).setup?.release ?? null
    }
    expect([shown(null, null), shown(one, null), shown(two, null)]).toEqual([null, null, two])
    expect([shown(null, one), shown(two, one), shown(one, two)]).toEqual([one, two, two])
    expect(shown(null, null, 'portal')).toBe(two)
  })
})
