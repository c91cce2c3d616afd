import type { VersionObservation } from '@landfall/rollout'
import type { ComputeResource, Digest, PlatformName, Resource, ResourceType } from '@landfall/stack'
import type { Clock } from './clock.ts'
import type { DeploymentRef, ResolvedConfig } from './desired.ts'
import type { BlobSource } from './sources.ts'

/** JSON that a controller keeps between steps. */
export type Data = Readonly<Record<string, unknown>>

/** What every step gets. Controllers never retry and never wait: they return `wait` and are called again. */
export interface StepContext<R extends Resource = Resource> {
  deployment: DeploymentRef
  resource: R
  /** `<prefix>-<resource>`, within the platform's limits. */
  name: string
  config: ResolvedConfig
  /** What the resources that this one depends on gave, by resource name: addresses, never secrets. */
  outputs: Readonly<Record<string, Data>>
  blobs: BlobSource
  clock: Clock
  /** Aborts when the lease is lost or the step's deadline has come. */
  signal: AbortSignal
}

/** One step did at most one durable mutation. */
export type StepResult =
  /** Persist `data`, call again at once. */
  | { kind: 'continue'; data: Data; did?: string }
  | { kind: 'done'; data: Data; outputs?: Data; did?: string }
  /** Persist `data`, call again after `afterMs` at the latest. */
  | { kind: 'wait'; data: Data; afterMs: number; reason: { code: string; message: string }; did?: string }

/*
 * A failing step throws LandfallError. `retryable` goes through the loop's budgeted backoff; `E_THROTTLED` is retried
 * without using up the budget; `E_ACCESS_REVOKED` parks the deployment; anything else fails the resource.
 */

/** What is seen of a resource that exists. */
export interface ResourceObservation {
  status: 'ok' | 'degraded' | 'missing' | 'foreign'
  reason?: { code: string; message: string }
  /** Fields that differ from what was applied, in words; empty when none. */
  drift: readonly string[]
}

/** Everything but compute. `data` is null at the first call. All calls are idempotent by name and adopt only what carries our tag. */
export interface ResourceController<R extends Resource = Resource> {
  ensure(context: StepContext<R>, data: Data | null): Promise<StepResult>
  remove(context: StepContext<R>, data: Data | null): Promise<StepResult>
  observe(context: StepContext<R>, data: Data): Promise<ResourceObservation>
}

/** One version of a worker: its code, environment and config under one id (a digest of all of them). */
export interface ComputeVersion<R extends ComputeResource = ComputeResource> {
  id: Digest
  resource: R
  release: { digest: Digest; version: string }
  config: ResolvedConfig
}

export interface ComputeObservation {
  /** By version id. */
  versions: Readonly<Record<Digest, VersionObservation>>
  /** Percent that users get by version id, as read back. Sums to 100 while anything serves; what is not available serves nothing. */
  served: Readonly<Record<Digest, number>>
  /**
   * Percent that the router is set to by version id, as read back. A version whose instances are all down serves nothing and
   * keeps its weight: it would serve again as soon as one came back.
   */
  weights: Readonly<Record<Digest, number>>
  /** Which version cron and storage triggers go to. */
  triggers: Digest | null
  /** Where the public reaches it, if public. */
  url: string | null
  drift: readonly string[]
}

/** Workers and containers: several versions side by side behind one router. */
export interface ComputeController<R extends ComputeResource = ComputeResource> {
  /** `weighted`: any share; `replicas`: only the ratio of instances. */
  readonly routing: 'weighted' | 'replicas'
  ensureVersion(
    context: StepContext<R>,
    version: ComputeVersion<R>,
    instances: number,
    data: Data | null,
  ): Promise<StepResult>
  /** Sets percent per version id, whole and conditionally on what was read; `done` once read back. */
  route(context: StepContext<R>, shares: Readonly<Record<Digest, number>>, data: Data | null): Promise<StepResult>
  /** Points cron and storage triggers at one version, or at none; queue consumers follow instances. */
  moveTriggers(context: StepContext<R>, version: Digest | null, data: Data | null): Promise<StepResult>
  removeVersion(context: StepContext<R>, version: Digest, data: Data | null): Promise<StepResult>
  /** Removes the whole: every version, router, triggers. */
  remove(context: StepContext<R>, data: Data | null): Promise<StepResult>
  observe(context: StepContext<R>, data: Data | null): Promise<ComputeObservation>
}

/** Runs a command or a job in a worker; used by the command path and by gates. */
export interface Invoker {
  invoke(
    context: { deployment: DeploymentRef; worker: string; version?: Digest; signal: AbortSignal },
    call: { command: string; id: string; attempt: number; input: unknown; deadline: number },
    onOutput: (chunk: string) => void,
  ): Promise<{ ok: true; output: unknown } | { ok: false; error: { code: string; message: string } }>
}

export interface Platform {
  readonly name: PlatformName
  readonly resources: Partial<{
    [T in Exclude<ResourceType, 'worker' | 'container'>]: ResourceController<Extract<Resource, { type: T }>>
  }>
  readonly compute: Partial<{ [T in 'worker' | 'container']: ComputeController<Extract<ComputeResource, { type: T }>> }>
  readonly invoker: Invoker
  /** One cheap call that proves the identity still works; throws `E_ACCESS_REVOKED` when it was taken away. */
  probe(deployment: DeploymentRef, signal: AbortSignal): Promise<void>
  /** Makes the isolated area itself (first step of setup), and takes it away (last step of destroy). Idempotent. */
  openArea(deployment: DeploymentRef, signal: AbortSignal): Promise<void>
  closeArea(deployment: DeploymentRef, signal: AbortSignal): Promise<void>
}
