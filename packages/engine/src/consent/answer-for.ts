import type { GateAnswer } from '@landfall/rollout'
import type { Digest } from '@landfall/stack'
import type { Desired } from '../ports/desired.ts'

/**
 * What people answered last, for this very target, to a gate, by any of the names that it goes by; undefined where nobody
 * answered. Of two at the same instant a refusal counts.
 */
export function answerFor(
  turn: { desired: Desired },
  gates: readonly string[],
  target: Digest,
): GateAnswer | undefined {
  const given = turn.desired.answers.filter((answer) => answer.target === target && gates.includes(answer.gate))
  const last = given
    .toSorted((a, b) => a.at - b.at || (a.status === b.status ? 0 : a.status === 'fail' ? 1 : -1))
    .at(-1)
  if (!last) return undefined
  const said = `${last.status === 'pass' ? 'Approved' : 'Refused'} by ${last.by}`
  return { status: last.status, message: last.message ? `${said}: ${last.message}` : said }
}
