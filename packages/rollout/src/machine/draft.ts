import type { Action, Observation, Plan, RolloutState } from './types.ts'

/** A state being worked on within one look; never leaves `advance`. */
export type Draft = { -readonly [K in keyof RolloutState]: RolloutState[K] }

/** One look: everything its parts read, and the draft and actions they write. */
export interface Look {
  readonly plan: Plan
  readonly seen: Observation
  /** The instant of this look: never before the last one. */
  readonly now: number
  /** Since the last look. */
  readonly elapsed: number
  readonly draft: Draft
  readonly actions: Action[]
  /** What the rollout waits for; the last one given wins. */
  reason: { code: string; message: string }
  /** Instants at which something is due. */
  readonly wakes: number[]
}

const maxDecisions = 200

export function decide(look: Look, code: string, message: string, by?: string): void {
  const { draft, now } = look
  const decision = { at: now, code, message, step: draft.step, ...(by === undefined ? {} : { by }) }
  draft.decisions = [...draft.decisions, decision].slice(-maxDecisions)
}

export function wait(look: Look, code: string, message: string): void {
  look.reason = { code, message }
}
