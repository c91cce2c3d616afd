import { type Operation, operationKey } from '../decide/operations.ts'
import type { World } from '../decide/world.ts'
import type { Limits } from '../limits.ts'
import type { Outcome } from './outcome.ts'

/** What is known after an operation: looks are remembered, and forgotten once something was done to what they showed. */
export function decideWorldAfter(
  world: World,
  operation: Operation,
  outcome: Outcome,
  limits: Limits,
  now: number,
): World {
  const compute = new Map(world.compute)
  const waits = new Map([...world.waits].filter(([, wait]) => wait.until > now))
  const answers = new Map(world.answers)
  const resource = 'resource' in operation ? operation.resource.name : null
  const wait = (ms: number, code: string, message: string, failed = false) =>
    waits.set(operationKey(operation), { until: now + ms, code, message, resource, ...(failed ? { failed } : {}) })
  if (operation.kind === 'observe') {
    if (outcome.kind === 'compute') compute.set(operation.resource.name, { at: now, value: outcome.observation })
    else if (outcome.kind === 'error') wait(limits.rolloutTickMs * 4, outcome.code, outcome.message)
  } else if (operation.kind === 'ask-gate') {
    const answer =
      outcome.kind === 'gate' ? outcome.answer : { status: 'wait' as const, message: 'The gate did not answer' }
    answers.set(`${operation.rollout}/${operation.gate.id}`, { at: now, answer })
  } else {
    // Not called again before its effect had time to be seen.
    if (outcome.kind === 'step' && outcome.result.kind === 'done')
      wait(limits.rolloutTickMs, 'SETTLING', 'Waits to see the effect')
    if (outcome.kind === 'step' && outcome.result.kind === 'wait') {
      wait(outcome.result.afterMs, outcome.result.reason.code, outcome.result.reason.message)
    }
    if (outcome.kind === 'error') wait(limits.backoffBaseMs, outcome.code, outcome.message, true)
    if (resource) compute.delete(resource)
  }
  return { ...world, compute, waits, answers }
}
