import type { RolloutState } from './types.ts'

/**
 * The rollout after `ms` milliseconds in which nobody could look, such as while access was revoked: they count toward no
 * deadline and no rollback window, and a bake that nobody watched begins anew.
 */
export function unseenFor(state: RolloutState, ms: number): RolloutState {
  const later = (instant: number | null) => (instant === null ? null : instant + ms)
  return {
    ...state,
    lookedAt: state.lookedAt + ms,
    reachedAt: null,
    healthySince: null,
    progressDeadlineAt: later(state.progressDeadlineAt),
    windowEndsAt: later(state.windowEndsAt),
  }
}
