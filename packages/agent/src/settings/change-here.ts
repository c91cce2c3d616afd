import { checkWindows } from '@landfall/engine'
import { type CustomerSettings, customerSettings, LandfallError, problemsOf } from '@landfall/stack'
import type { SettingsChange } from '../agent.ts'
import type { AgentParts } from '../parts.ts'

/** Changes the customer's settings at the site; they win over the portal's. @throws LandfallError `E_INVALID_REQUEST`, `E_WINDOW_INVALID` */
export function changeHere(parts: AgentParts, change: SettingsChange, by: string): CustomerSettings {
  const { settings, setup, audit, state, store, clock } = parts
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  const named = given.filter(([, value]) => value !== null)
  const parsed = customerSettings.safeParse({ ...settings.inForce(), ...Object.fromEntries(named) })
  if (!parsed.success) {
    throw new LandfallError({
      code: 'E_INVALID_REQUEST',
      message: 'The settings cannot be read.',
      hint: 'Nothing was changed. Give them as the documentation shows.',
      problems: problemsOf(parsed.error, change),
    })
  }
  checkWindows(parsed.data.windows)
  const { id } = setup.deployment
  const inForce = state.transaction(() => {
    const changed = settings.change(change)
    audit.append(id, [
      {
        at: clock.now(),
        type: 'settings.changed',
        actor: by,
        message: `Changed at the agent: ${given
          .map(([key]) => key)
          .sort()
          .join(', ')}`,
        data: Object.fromEntries(given),
      },
    ])
    store.touch(id)
    return changed
  })
  parts.wake()
  return inForce
}
