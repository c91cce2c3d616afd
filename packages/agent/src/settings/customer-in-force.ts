import type { Answer, Desired } from '@landfall/engine'
import type { CustomerSettings } from '@landfall/stack'

export interface LocalSay {
  /** What was set at the agent: wins over what the order brings. */
  settings: Partial<CustomerSettings>
  answers: readonly Answer[]
  /** The clock cannot be trusted to open a window: nothing new begins. */
  clockOff: boolean
}

/** The customer's settings as they count at this agent: the order's (the portal's word), with those set here over them. */
export function customerInForce(ordered: CustomerSettings, local: Partial<CustomerSettings>): CustomerSettings {
  return { ...ordered, ...local }
}

/**
 * What the engine is shown of what the customer says. Where approvals count at the agent alone, the portal's answers are dropped.
 * With windows and a clock that is off, starts are held as if updates were paused: what runs, and a way back, is not.
 */
export function desiredInForce(desired: Desired, ordered: CustomerSettings, local: LocalSay): Desired {
  const customer = customerInForce(ordered, local.settings)
  const held = local.clockOff && customer.windows.length > 0
  return {
    ...desired,
    customer: {
      updates: held ? 'paused' : customer.updates,
      access: customer.access,
      windows: customer.windows,
    },
    answers: [...(customer.approvals === 'agent' ? [] : desired.answers), ...local.answers],
  }
}
