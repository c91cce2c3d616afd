import { checkWindows } from '@landfall/engine'
import { type CustomerSettings, LandfallError, type Model } from '@landfall/stack'

/**
 * Refuses settings that could not be kept, wherever they come in.
 *
 * @throws LandfallError E_WINDOW_INVALID, E_APPROVAL_AT_AGENT
 */
export function checkCustomer(model: Model, settings: Partial<CustomerSettings>): void {
  if (settings.windows !== undefined) checkWindows(settings.windows)
  if (settings.approvals === 'agent' && model === 'push') {
    throw new LandfallError({
      code: 'E_APPROVAL_AT_AGENT',
      message: 'Approvals can’t be left to an agent: this deployment has none, the manager itself works in it.',
      hint: 'Leave `approvals` at `portal`, or deliver by an agent (pull, airgapped).',
    })
  }
}
