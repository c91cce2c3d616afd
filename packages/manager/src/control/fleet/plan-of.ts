import type { FleetPlan } from '@landfall/rollout'
import { durationMs } from '@landfall/stack'
import type { StoredPlan } from '../../store/tables/releases.ts'

/** What a channel without a plan of its own does: everybody at once, as many in flight as the default allows. */
export const defaultPlan: StoredPlan = {
  waves: [{ name: 'all', share: 100, soak: '0s' }],
  maxInFlight: 50,
  minSuccess: 100,
  maxFailures: 1,
  onFailure: 'abort',
  rollbackReached: true,
}

/** The plan as the machine reads it: durations in milliseconds. */
export function planOf(stored: StoredPlan): FleetPlan {
  return {
    ...defaultPlan,
    ...stored,
    waves: stored.waves.map(({ name, groups, share, soak, pause }) => ({
      name,
      ...(groups === undefined ? {} : { groups }),
      ...(share === undefined ? {} : { share }),
      soakMs: durationMs(soak),
      ...(pause === undefined ? {} : { pause }),
    })),
  }
}
