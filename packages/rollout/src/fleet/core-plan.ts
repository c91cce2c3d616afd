import type { Plan } from '../machine/types.ts'
import type { FleetPlan } from './types.ts'

/** A wave's minimum success, as a gate of its step. */
export const successGate = (wave: number): string => `wave-${wave}-success`

const never = 1e15

/**
 * The fleet's plan as the traffic machine reads it. `shares`: cumulative percent of the deployments that count; `empty`:
 * waves without anyone, which need no soak.
 */
export function corePlan(plan: FleetPlan, shares: readonly number[], empty: readonly boolean[]): Plan {
  return {
    strategy: 'canary',
    steps: plan.waves.map((wave, index) => ({
      share: shares[index] ?? 100,
      bakeMs: empty[index] ? 0 : wave.soakMs,
      gates: [{ id: successGate(index), kind: 'peers' }],
      ...(wave.pause ? { pause: 'until-resumed' as const } : {}),
    })),
    analysis: [],
    prePromotion: [],
    postPromotion: [],
    rollbackWindowMs: 0,
    alpha: 0.05,
    maxBakeMs: 0,
    onNoData: 'hold',
    progressDeadlineMs: never,
    maxSurge: '100%',
    maxUnavailable: 0,
    abortKeepMs: 0,
    routing: 'weighted',
  }
}
