import type { Answer, Desired } from '@landfall/engine'
import { type CustomerSettings, customerSettings } from '@landfall/stack'
import type { SettingsChange } from '../agent.ts'
import type { AgentState } from '../state/agent-state.ts'
import { customerInForce, desiredInForce } from './customer-in-force.ts'

const maxAnswers = 200

/** What the customer says, here and in the portal, kept in the sealed state. */
export interface Settings {
  inForce(): CustomerSettings
  /** Set here, winning over the portal's. */
  local(): Partial<CustomerSettings>
  /** Durable when it returns. Null gives a setting back to the portal; what is not named, or undefined, stays. */
  change(change: SettingsChange): CustomerSettings
  /** Answers given here, oldest first. */
  answers(): Answer[]
  addAnswer(answer: Answer): void
  /** The portal's settings as the newest order brought them. */
  takeOrdered(customer: CustomerSettings): void
  /** Whether the clock is too far off for windows to be trusted; held by the sync client. */
  setClockOff(off: boolean): void
  clockOff(): boolean
  /** What the engine is shown. */
  view(desired: Desired): Desired
}

/** @param agreed what the setup says, as the customer read it: counts until an order brings the portal's */
export function openSettings(state: AgentState, agreed?: CustomerSettings): Settings {
  let clockOff = (state.get('settings/clock-off') as boolean | undefined) ?? false
  const ordered = () => customerSettings.parse(state.get('settings/ordered') ?? {})
  const local = () => (state.get('settings/local') as Partial<CustomerSettings> | undefined) ?? {}
  const answers = () => (state.get('settings/answers') as Answer[] | undefined) ?? []
  const settings: Settings = {
    local,
    answers,
    inForce: () => customerInForce(ordered(), settings.local()),
    change(change) {
      const next = { ...settings.local() }
      for (const key of Object.keys(customerSettings.shape) as (keyof CustomerSettings)[]) {
        const value = change[key]
        if (value === null) delete next[key]
        else if (value !== undefined) Object.assign(next, { [key]: value })
      }
      // Checked whole: a recurrence that cannot be read must not shut the windows for ever.
      const inForce = customerSettings.parse(customerInForce(ordered(), next))
      state.put('settings/local', next)
      return inForce
    },
    addAnswer(answer) {
      state.put('settings/answers', [...answers(), answer].slice(-maxAnswers))
    },
    takeOrdered(customer) {
      state.transaction(() => {
        state.put('settings/ordered', customer)
        // Were it the manager's to take back, a demand for approvals at the agent would be worth nothing against the manager.
        if (customer.approvals === 'agent') state.put('settings/local', { approvals: 'agent', ...settings.local() })
      })
    },
    setClockOff(off) {
      if (off === clockOff) return
      state.put('settings/clock-off', off)
      clockOff = off
    },
    clockOff: () => clockOff,
    view: (desired) => desiredInForce(desired, ordered(), { settings: settings.local(), answers: answers(), clockOff }),
  }
  if (agreed && state.get('settings/ordered') === undefined) settings.takeOrdered(agreed)
  return settings
}
