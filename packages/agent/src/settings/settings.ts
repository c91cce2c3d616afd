import type { Answer, DeploymentState, Desired } from '@landfall/engine'
import { type CustomerSettings, customerSettings, type Digest } from '@landfall/stack'
import type { SettingsChange } from '../agent.ts'
import type { AgentState } from '../state/agent-state.ts'
import { closedBy, customerInForce, desiredInForce } from './customer-in-force.ts'

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
  /** The release whose setup was approved here last. */
  approvedSetup(): Digest | null
  approveSetup(release: Digest): void
  /** The portal's settings as the newest order brought them. */
  takeOrdered(customer: CustomerSettings): void
  /** Whether the clock is too far off for windows to be trusted; held by the sync client. */
  setClockOff(off: boolean): void
  clockOff(): boolean
  /** What the engine is shown. */
  view(desired: Desired, state: DeploymentState | null): Desired
}

/** @param agreed what the setup says, as the customer read it: counts until an order brings the portal's */
export function openSettings(state: AgentState, agreed?: CustomerSettings): Settings {
  let clockOff = (state.get('settings/clock-off') as boolean | undefined) ?? false
  const ordered = () => customerSettings.parse(state.get('settings/ordered') ?? {})
  const local = () => (state.get('settings/local') as Partial<CustomerSettings> | undefined) ?? {}
  const answers = () => (state.get('settings/answers') as Answer[] | undefined) ?? []
  const approvedSetup = () => (state.get('settings/setup') as Digest | undefined) ?? null
  /** What is closed now, in the portal or here, with the agent's own over it: where approvals count here, it is opened here alone. */
  const closed = (own: Partial<CustomerSettings>): Partial<CustomerSettings> => {
    const inForce = customerInForce(ordered(), own)
    return inForce.approvals === 'agent' ? { ...closedBy(inForce), ...own } : own
  }
  const settings: Settings = {
    approvedSetup,
    approveSetup: (release) => state.put('settings/setup', release),
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
      const given = (key: string) => change[key as keyof CustomerSettings] === null
      for (const [key, value] of Object.entries(closed(next))) {
        if (!given(key)) Object.assign(next, { [key]: value })
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
        const own = settings.local()
        const kept = closed(own)
        if (Object.keys(kept).length > Object.keys(own).length) state.put('settings/local', kept)
      })
    },
    setClockOff(off) {
      if (off === clockOff) return
      state.put('settings/clock-off', off)
      clockOff = off
    },
    clockOff: () => clockOff,
    view: (desired, state) =>
      desiredInForce(
        desired,
        ordered(),
        { settings: settings.local(), answers: answers(), clockOff, setup: approvedSetup() },
        state,
      ),
  }
  if (agreed && state.get('settings/ordered') === undefined) settings.takeOrdered(agreed)
  return settings
}
