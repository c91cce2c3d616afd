import type { GateAnswer } from '@landfall/rollout'
import type { Digest } from '@landfall/stack'
import type { Desired } from '../ports/desired.ts'

/** The latest answer that a person gave to a gate for this very target; undefined when there is none. */
export function answerFor(turn: { desired: Desired }, gate: string, target: Digest): GateAnswer | undefined {
  const given = turn.desired.answers.filter((answer) => answer.gate === gate && answer.target === target)
  const last = given.sort((a, b) => a.at - b.at).at(-1)
  if (!last) return undefined
  return {
    status: last.status,
    message: last.message ?? `${last.status === 'pass' ? 'Approved' : 'Refused'} by ${last.by}`,
  }
}
