import type { Answer, DeploymentState, Desired } from '@landfall/engine'
import type { CustomerSettings, Digest } from '@landfall/stack'

export interface LocalSay {
  /** What was set at the agent: wins over what the order brings. */
  settings: Partial<CustomerSettings>
  answers: readonly Answer[]
  /** The clock cannot be trusted to open a window: nothing new begins. */
  clockOff: boolean
  /** The release whose setup was approved here last; null: none was. */
  setup: Digest | null
}

/** The customer's settings as they count at this agent: the order's (the portal's word), with those set here over them. */
export function customerInForce(ordered: CustomerSettings, local: Partial<CustomerSettings>): CustomerSettings {
  return { ...ordered, ...local }
}

/**
 * What of the customer's settings closes something. Where approvals count at the agent alone, the manager's word may close and never
 * opens again: otherwise it need only say `updates: automatic` to be asked for no approval.
 */
export function closedBy(customer: CustomerSettings): Partial<CustomerSettings> {
  const { updates, approvals, windows, telemetry, access } = customer
  return {
    ...(updates !== 'automatic' && { updates }),
    ...(approvals === 'agent' && { approvals }),
    ...(windows.length > 0 && { windows }),
    ...(telemetry !== 'on' && { telemetry }),
    ...(access === 'revoked' && { access }),
  }
}

/**
 * What the engine is shown of what the customer says. Where approvals count at the agent alone, the portal's answers are dropped, and
 * so is a setup that was not approved here: what was set up before goes on counting.
 * With windows and a clock that is off, starts are held as if updates were paused: what runs, and a way back, is not.
 */
export function desiredInForce(
  desired: Desired,
  ordered: CustomerSettings,
  local: LocalSay,
  state: DeploymentState | null,
): Desired {
  const customer = customerInForce(ordered, local.settings)
  const held = local.clockOff && customer.windows.length > 0
  const before = state?.setup ? { release: state.setup } : null
  const setup = customer.approvals === 'agent' && desired.setup?.release !== local.setup ? before : desired.setup
  return {
    ...desired,
    setup,
    customer: {
      updates: held ? 'paused' : customer.updates,
      access: customer.access,
      windows: customer.windows,
    },
    answers: [...(customer.approvals === 'agent' ? [] : desired.answers), ...local.answers],
  }
}
