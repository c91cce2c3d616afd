import { storable } from '@landfall/contract'
import type { DeploymentState } from '@landfall/engine'
import { LandfallError, type Problem, problemsOf } from '@landfall/stack'
import { reportedState } from './state-schema.ts'

/** Characters of a state as JSON: a stack of 500 resources in the middle of a rollout needs half of it. */
const maxState = 1_048_576

/**
 * The state in a report, as it can be stored.
 *
 * @throws LandfallError `E_REPORT_INVALID`
 */
export function readState(state: unknown): DeploymentState | null {
  if (state === null || state === undefined) return null
  const text = JSON.stringify(state)
  if (text.length > maxState) {
    throw invalid([{ path: 'report.state', message: `is larger than ${maxState} characters` }])
  }
  const parsed = reportedState.safeParse(state)
  if (!parsed.success) {
    throw invalid(problemsOf(parsed.error, state).map((one) => ({ ...one, path: `report.state.${one.path}` })))
  }
  // What jsonb can't hold (NUL, halves of a surrogate pair) shows in the JSON text as an escape; all else is left as it came.
  const clean = /\\u(0000|d[89a-f])/i.test(text) ? storable(state) : state
  return clean as DeploymentState
}

export function invalid(problems: readonly Problem[]): LandfallError {
  const [first] = problems
  return new LandfallError({
    code: 'E_REPORT_INVALID',
    message: `The agent’s report is not valid${first ? `: ${first.path} ${first.message}` : ''}.`,
    hint: 'Nothing of it was taken. The agent and the manager may be of versions that do not go together: update the older one.',
    problems: problems.slice(0, 20),
  })
}
