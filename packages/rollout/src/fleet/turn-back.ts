import { change, untold } from './see-members.ts'
import type { FleetPlan, Member } from './types.ts'

/**
 * After an abort: all that were in flight or failed go back to their own stable, even if they became healthy in the same
 * moment; those that succeeded do where the plan says so. One that was never told is never touched. Like the other two here it
 * writes into `members`, the record of the look under way.
 */
export function returnReached(
  plan: FleetPlan,
  before: Readonly<Record<string, Member>>,
  members: Record<string, Member>,
  now: number,
): void {
  for (const member of Object.values(members)) {
    if (!member.told || member.status === 'returning' || member.status === 'returned') continue
    const stays = member.status === 'succeeded' && before[member.id]?.status === 'succeeded' && !plan.rollbackReached
    if (!stays) members[member.id] = change(member, 'returning', now, member.reason)
  }
}

/** A retry while the rollout runs: failed deployments are told once more. */
export function retryFailed(members: Record<string, Member>, now: number): void {
  for (const member of Object.values(members))
    if (member.told && member.status === 'failed')
      members[member.id] = { ...change(member, 'waiting', now), told: true, again: true }
}

/** A retry after an abort: everybody is as if never told. */
export function startAgain(members: Record<string, Member>, now: number): void {
  for (const member of Object.values(members)) {
    const rest = untold(member)
    const back = member.status === 'returned' || member.status === 'returning' || member.status === 'failed'
    members[member.id] = { ...(back ? change(rest, 'waiting', now) : rest), from: null }
  }
}
