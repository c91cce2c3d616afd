import type { Operation } from '../decide/operations.ts'
import { emptyWorker, newResource } from '../decide/turn.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { sameJson } from '../state/same-json.ts'

/**
 * Writes down what is about to be made, before the first call that makes it. So whoever resumes knows of everything that may
 * exist, and nothing is ever orphaned. Returns the same object when there is nothing new to write.
 */
export function intend(state: DeploymentState, operations: readonly Operation[], now: number): DeploymentState {
  return operations.reduce((next, operation) => intendOne(next, operation, now), state)
}

function intendOne(state: DeploymentState, operation: Operation, now: number): DeploymentState {
  if (operation.kind === 'open-area') return state.area ? state : { ...state, area: 'opening' }
  if (operation.kind === 'remove') {
    const before = state.resources[operation.resource.name]
    if (!before || before.phase === 'deleting') return state
    return { ...state, resources: { ...state.resources, [before.name]: { ...before, phase: 'deleting' } } }
  }
  if (operation.kind !== 'ensure' && operation.kind !== 'version') return state
  const { resource } = operation
  const before = state.resources[resource.name]
  let next = state
  const reason = { code: 'IN_PROGRESS', message: before?.applied ? 'Being changed' : 'Being made', since: now }
  if (!before) {
    const made = { ...newResource(resource, reason), phase: 'creating' as const }
    next = { ...next, resources: { ...next.resources, [resource.name]: made } }
  } else if (!sameJson(before.spec, resource) || (operation.kind === 'ensure' && !isBusy(before.phase))) {
    const phase = operation.kind === 'version' ? before.phase : before.applied ? 'updating' : 'creating'
    const changed = { ...before, spec: resource, lifecycle: resource.lifecycle, phase, reason } as const
    next = { ...next, resources: { ...next.resources, [resource.name]: changed } }
  }
  if (operation.kind === 'ensure') return next
  const worker = next.workers[resource.name] ?? emptyWorker
  if (worker.versions?.[operation.version]) return next
  const versions = { ...worker.versions, [operation.version]: { target: operation.target } }
  return { ...next, workers: { ...next.workers, [resource.name]: { ...worker, versions } } }
}

function isBusy(phase: string): boolean {
  return phase === 'creating' || phase === 'updating'
}
