import type { GateSpec } from '@landfall/rollout'
import type { ComputeResource, Digest, Resource } from '@landfall/stack'
import type { Target } from '../ports/desired.ts'

/** One call to a port: at most one durable mutation. Decided purely, carried out by the edge. */
export type Operation =
  | { kind: 'open-area' }
  | { kind: 'close-area' }
  | { kind: 'probe' }
  | { kind: 'ensure'; resource: Resource; target: Target; applied: Digest }
  | { kind: 'remove'; resource: Resource; target: Target | null }
  | { kind: 'observe'; resource: Resource; target: Target | null }
  | { kind: 'version'; resource: ComputeResource; target: Target; version: Digest; instances: number }
  | { kind: 'route'; resource: ComputeResource; target: Target | null; shares: Readonly<Record<Digest, number>> }
  | { kind: 'triggers'; resource: ComputeResource; target: Target | null; version: Digest | null }
  | { kind: 'remove-version'; resource: ComputeResource; target: Target | null; version: Digest }
  | { kind: 'ask-gate'; resource: ComputeResource; gate: GateSpec; rollout: string; version: string }

/** Same key, same operation: what a wait or a retry is remembered by. */
export function operationKey(operation: Operation): string {
  switch (operation.kind) {
    case 'open-area':
    case 'close-area':
    case 'probe':
      return operation.kind
    case 'ensure':
      return `ensure/${operation.resource.name}/${operation.applied}`
    case 'remove':
    case 'observe':
      return `${operation.kind}/${operation.resource.name}`
    case 'version':
      return `version/${operation.resource.name}/${operation.version}/${operation.instances}`
    case 'route':
      return `route/${operation.resource.name}/${JSON.stringify(operation.shares)}`
    case 'triggers':
      return `triggers/${operation.resource.name}/${operation.version ?? 'none'}`
    case 'remove-version':
      return `remove-version/${operation.resource.name}/${operation.version}`
    case 'ask-gate':
      return `ask-gate/${operation.resource.name}/${operation.gate.id}`
  }
}

/** Under which key a controller keeps its memory of this operation in `ResourceState.data`. */
export function dataKey(operation: Operation): string {
  switch (operation.kind) {
    case 'version':
    case 'remove-version':
      return operation.version
    case 'route':
    case 'triggers':
      return operation.kind
    default:
      return 'resource'
  }
}

/** Clean-up of what serves nobody: its failure is retried for ever, slowly, and fails nothing. */
export function isCleanup(operation: Operation): boolean {
  return operation.kind === 'remove-version' || operation.kind === 'remove' || operation.kind === 'close-area'
}
