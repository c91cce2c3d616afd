import { type ComputeResource, LandfallError, type Resource } from '@landfall/stack'
import { dataKey, type Operation } from '../decide/operations.ts'
import type { LoadedTarget } from '../plan/targets.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeploymentRef, ResolvedConfig, Target } from '../ports/desired.ts'
import type {
  ComputeController,
  ComputeObservation,
  Data,
  Platform,
  ResourceController,
  StepContext,
} from '../ports/platform.ts'
import type { BlobSource, GateRunner, MetricSource } from '../ports/sources.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import type { Outcome } from './outcome.ts'

export interface ExecuteContext {
  deployment: DeploymentRef
  platform: Platform
  state: DeploymentState
  target(target: Target | null): LoadedTarget | undefined
  blobs: BlobSource
  metrics: MetricSource
  gates: GateRunner
  clock: Clock
  signal: AbortSignal
}

/** Carries one operation out: one call to a port. Never throws for what the port answers; that is an outcome too. */
export async function execute(operation: Operation, context: ExecuteContext): Promise<Outcome> {
  try {
    return await call(operation, context)
  } catch (error) {
    if (error instanceof LandfallError) {
      return { kind: 'error', code: error.code, message: error.message, retryable: error.retryable }
    }
    const message = error instanceof Error ? error.message : String(error)
    return {
      kind: 'error',
      code: 'E_CONTROLLER',
      message: `The platform failed unexpectedly: ${message}`,
      retryable: false,
    }
  }
}

async function call(operation: Operation, context: ExecuteContext): Promise<Outcome> {
  const { platform, deployment, signal } = context
  switch (operation.kind) {
    case 'open-area':
      await platform.openArea(deployment, signal)
      return { kind: 'ok' }
    case 'close-area':
      await platform.closeArea(deployment, signal)
      return { kind: 'ok' }
    case 'probe':
      await platform.probe(deployment, signal)
      return { kind: 'ok' }
    case 'ask-gate': {
      const { gate, rollout, version } = operation
      const answer = await context.gates.ask(gate, { deployment, worker: operation.resource.name, rollout, version })
      return { kind: 'gate', answer }
    }
    case 'ensure':
    case 'remove':
    case 'observe':
      return onResource(operation, context)
    default:
      return { kind: 'step', result: await onVersion(operation, context) }
  }
}

async function onResource(
  operation: Extract<Operation, { kind: 'ensure' | 'remove' | 'observe' }>,
  context: ExecuteContext,
): Promise<Outcome> {
  const { resource } = operation
  const step = stepContext(resource, operation.target, context)
  const data = dataOf(context.state, operation)
  if (resource.type === 'worker' || resource.type === 'container') {
    const controller = computeController(context.platform, resource)
    const computeStep = stepContext(resource, operation.target, context)
    if (operation.kind === 'remove') return { kind: 'step', result: await controller.remove(computeStep, data) }
    const observation = await controller.observe(computeStep, data)
    return { kind: 'compute', observation: await withCounters(observation, resource, context) }
  }
  const controller = resourceController(context.platform, resource)
  if (operation.kind === 'ensure') return { kind: 'step', result: await controller.ensure(step, data) }
  if (operation.kind === 'remove') return { kind: 'step', result: await controller.remove(step, data) }
  return { kind: 'resource', observation: await controller.observe(step, data ?? {}) }
}

async function onVersion(
  operation: Extract<Operation, { kind: 'version' | 'route' | 'triggers' | 'remove-version' }>,
  context: ExecuteContext,
) {
  const { resource } = operation
  const controller = computeController(context.platform, resource)
  const step = stepContext(resource, operation.target, context)
  const data = dataOf(context.state, operation)
  switch (operation.kind) {
    case 'route':
      return controller.route(step, operation.shares, data)
    case 'triggers':
      return controller.moveTriggers(step, operation.version, data)
    case 'remove-version':
      return controller.removeVersion(step, operation.version, data)
    case 'version': {
      const loaded = context.target(operation.target)
      if (!loaded) throw notLoaded(resource)
      const release = { digest: loaded.release.digest, version: loaded.release.version }
      const version = { id: operation.version, resource, release, config: loaded.config }
      return controller.ensureVersion(step, version, operation.instances, data)
    }
  }
}

/** Telemetry is the better evidence where it knows the version; a source that fails is no data, never a verdict. */
async function withCounters(
  observation: ComputeObservation,
  resource: ComputeResource,
  context: ExecuteContext,
): Promise<ComputeObservation> {
  const worker = context.state.workers[resource.name]
  if (!worker?.rollout || !(worker.candidate || worker.previous)) return observation
  const versions = { ...observation.versions }
  for (const id of [worker.stable, worker.candidate, worker.previous]) {
    const seen = id ? versions[id] : undefined
    if (!id || !seen) continue
    const query = {
      deployment: context.deployment.id,
      worker: resource.name,
      version: id,
      since: worker.rollout.startedAt,
    }
    const counters = await context.metrics.read(query).catch(() => null)
    if (counters) versions[id] = { ...seen, counters }
  }
  return { ...observation, versions }
}

function dataOf(
  state: DeploymentState,
  operation: Exclude<Operation, { kind: 'probe' | 'open-area' | 'close-area' }>,
): Data | null {
  return state.resources[operation.resource.name]?.data[dataKey(operation)] ?? null
}

function stepContext<R extends Resource>(resource: R, target: Target | null, context: ExecuteContext): StepContext<R> {
  const outputs = Object.fromEntries(Object.values(context.state.resources).map((one) => [one.name, one.outputs]))
  return {
    deployment: context.deployment,
    resource,
    name: `${context.deployment.prefix}-${resource.name}`,
    config: context.target(target)?.config ?? noConfig,
    outputs,
    blobs: context.blobs,
    clock: context.clock,
    signal: context.signal,
  }
}

/** For removals after the release is gone: no inputs, no secrets. */
const noConfig: ResolvedConfig = {
  digest: '',
  inputs: {},
  secrets: {},
  bindings: {},
  openSecret: (name) =>
    Promise.reject(
      new LandfallError({
        code: 'E_SECRET_UNKNOWN',
        message: `The secret ${name} is not part of a loaded config`,
        hint: 'Set it for this deployment.',
      }),
    ),
}

/*
 * Controllers are picked by the resource's own type, so each gets the resources it is written for. TypeScript can't see that
 * through an index by a union, hence one assertion here, in the only place where it is made.
 */
function computeController<R extends ComputeResource>(platform: Platform, resource: R): ComputeController<R> {
  const controller = platform.compute[resource.type]
  if (!controller) throw unsupported(platform, resource)
  return controller as unknown as ComputeController<R>
}

function resourceController(
  platform: Platform,
  resource: Exclude<Resource, ComputeResource>,
): ResourceController<Resource> {
  const controller = platform.resources[resource.type]
  if (!controller) throw unsupported(platform, resource)
  return controller as unknown as ResourceController<Resource>
}

function unsupported(platform: Platform, resource: Resource): LandfallError {
  return new LandfallError({
    code: 'E_UNSUPPORTED_RESOURCE',
    message: `The platform ${platform.name} has no ${resource.type}`,
    hint: `Take ${resource.name} out of the stack for this platform, or deliver to another one.`,
    subject: `resource:${resource.name}`,
  })
}

function notLoaded(resource: Resource): LandfallError {
  return new LandfallError({
    code: 'E_DEPENDENCY_NOT_READY',
    message: `The release of ${resource.name} is not loaded yet`,
    hint: 'It is tried again by itself.',
    retryable: true,
  })
}
