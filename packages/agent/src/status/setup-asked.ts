import type { Digest } from '@landfall/stack'
import type { AgentParts } from '../parts.ts'
import type { Look } from '../store/agent-store.ts'

/** The release whose setup waits for an answer here, where approvals count at the agent alone; else null. */
export function setupAsked(look: Look | null, settings: AgentParts['settings']): Digest | null {
  if (!look?.setup || settings.inForce().approvals !== 'agent') return null
  return look.setup === settings.approvedSetup() || look.setup === look.state?.setup ? null : look.setup
}
