import type { CustomerSettings } from '@landfall/stack'
import type { AgentParts } from '../parts.ts'
import { changeHere } from '../settings/change-here.ts'

/** What `updates` was set to here before a pause; null: the portal's counted. */
const name = 'settings/before-pause'

/** Begins no update until `resume`. A second one changes nothing. */
export function pauseHere(parts: AgentParts, by: string): CustomerSettings {
  const { state, settings } = parts
  return state.transaction(() => {
    const { updates } = settings.local()
    if (updates === 'paused') return settings.inForce()
    state.put(name, updates ?? null)
    return changeHere(parts, { updates: 'paused' }, by)
  })
}

/** Puts back what counted before the pause: a demand for approvals must not get lost on the way. */
export function resumeHere(parts: AgentParts, by: string): CustomerSettings {
  const { state, settings } = parts
  return state.transaction(() => {
    if (settings.local().updates !== 'paused') return settings.inForce()
    const before = (state.get(name) ?? null) as CustomerSettings['updates'] | null
    state.delete(name)
    const resumed = changeHere(parts, { updates: before }, by)
    // The portal paused too, and may not open here what it closed: a person at the site has resumed, and is asked for each update.
    return resumed.updates === 'paused' ? changeHere(parts, { updates: 'approval' }, by) : resumed
  })
}
