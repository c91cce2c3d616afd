import type { Reason } from '@landfall/rollout'
import type { Resource } from '@landfall/stack'
import type { Limits } from '../limits.ts'
import type { Targets } from '../plan/targets.ts'
import type { Desired } from '../ports/desired.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { DeploymentState, ResourceState, WorkerState } from '../state/deployment-state.ts'
import { type Operation, operationKey } from './operations.ts'
import type { World } from './world.ts'

/** One decision in the making: the state it changes, what happened, what to do, and when to look again. */
export class Turn {
  state: DeploymentState
  readonly events: EngineEvent[] = []
  readonly operations: Operation[] = []
  wakeAt: number | null = null
  /** What holds the deployment now, most important first; the first one becomes its reason. */
  readonly waitsFor: { code: string; message: string }[] = []
  readonly desired: Desired
  readonly world: World
  readonly limits: Limits
  readonly now: number
  /** What is known of releases; null where nothing is decided, only an outcome is taken up. */
  readonly targets: Targets | null

  constructor(
    state: DeploymentState,
    desired: Desired,
    world: World,
    limits: Limits,
    now: number,
    targets: Targets | null = null,
  ) {
    this.state = state
    this.desired = desired
    this.world = world
    this.limits = limits
    this.now = now
    this.targets = targets
  }

  set(patch: Partial<DeploymentState>): void {
    this.state = { ...this.state, ...patch }
  }

  /** Keeps `since` while the code stays the same. */
  setReason(code: string, message: string): void {
    const since = this.state.reason.code === code ? this.state.reason.since : this.now
    this.set({ reason: { code, message, since } })
  }

  resource(name: string, patch: Partial<ResourceState>): void {
    const before = this.state.resources[name]
    if (before) this.set({ resources: { ...this.state.resources, [name]: { ...before, ...patch } } })
  }

  worker(name: string, patch: Partial<WorkerState>): void {
    const before = this.state.workers[name] ?? emptyWorker
    this.set({ workers: { ...this.state.workers, [name]: { ...before, ...patch } } })
  }

  emit(type: string, message: string, more: Omit<Partial<EngineEvent>, 'at' | 'type' | 'message'> = {}): void {
    this.events.push({ at: this.now, type, message, ...more })
  }

  wake(at: number): void {
    this.wakeAt = this.wakeAt === null ? at : Math.min(this.wakeAt, at)
  }

  /** Asks for an operation, unless it waits or is between two attempts: then wakes when it is due. */
  operate(operation: Operation): void {
    const wait = this.world.waits.get(operationKey(operation))
    if (wait && wait.until > this.now) {
      this.waitsFor.push({ code: wait.code, message: wait.message })
      this.wake(wait.until)
      return
    }
    if ('resource' in operation && operation.kind !== 'observe' && operation.kind !== 'ask-gate') {
      const retry = this.state.resources[operation.resource.name]?.retry
      if (retry && retry.nextAt > this.now) {
        this.waitsFor.push({
          code: retry.lastError.code,
          message: `${operation.resource.name}: ${retry.lastError.message} (tried ${retry.attempts} times, again soon)`,
        })
        this.wake(retry.nextAt)
        return
      }
    }
    this.operations.push(operation)
  }
}

export const emptyWorker: WorkerState = {
  stable: null,
  candidate: null,
  rollout: null,
  served: {},
  url: null,
  previous: null,
  versions: {},
  rest: null,
}

export function newResource(spec: Resource, reason: Reason | null): ResourceState {
  return {
    name: spec.name,
    type: spec.type,
    lifecycle: spec.lifecycle,
    phase: 'pending',
    reason,
    applied: null,
    data: {},
    outputs: {},
    retry: null,
    drift: [],
    spec,
  }
}
