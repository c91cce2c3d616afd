import type { Control } from '@landfall/rollout'
import type { CustomerSettings, Digest, Manifest, Model, PlatformName } from '@landfall/stack'

/** What a deployment is to run. `digest` is over the canonical JSON of the other two. */
export interface Target {
  digest: Digest
  release: Digest
  config: Digest
}

export interface DeploymentRef {
  id: string
  name: string
  project: string
  /** Deterministic and unique in its environment: every resource is `<prefix>-<resource>`. */
  prefix: string
  platform: PlatformName
  model: Model
  /** Platform-specific address of the environment; for local `{ directory }`. Never holds a secret. */
  environment: Readonly<Record<string, unknown>>
}

/**
 * A person's answer. `gate` is `update` for the start of an update, else the id of a gate of a worker's plan (`<worker>/<gate>` or
 * `<gate>`). It is bound to a target's digest: what was approved for one release and config lets no other in.
 */
export interface Answer {
  gate: string
  target: Digest
  status: 'pass' | 'fail'
  by: string
  /** Milliseconds since the epoch. */
  at: number
  message?: string
}

/** What the runner is asked for. A higher generation replaces a lower one whole. */
export interface Desired {
  generation: number
  deployment: DeploymentRef
  operation: 'run' | 'destroy'
  /** Null until a first release reached the deployment. */
  target: Target | null
  /**
   * The release whose frozen resources, grants and roles a person has approved; null before that, and then nothing is made.
   * The engine carries the setup out (`setting-up`) each time this changes.
   */
  setup: { release: Digest } | null
  /** A person's controls on the worker-scale rollout. One that names a target counts for that alone: it may arrive late. */
  controls: readonly (Control & { target?: Digest })[]
  /** What the customer allows. A return to an earlier stable is never held by any of it. */
  customer: Pick<CustomerSettings, 'updates' | 'access' | 'windows'>
  /** What people answered, each for one target alone; of two for the same gate and target, the later one counts. */
  answers: readonly Answer[]
  policy: {
    drift: 'report' | 'correct'
    /** What a window that closes mid-rollout does; it never holds a split. */
    windowClose: 'finish' | 'abort'
    /** Key kinds whose signature on a release this deployment accepts. */
    trustedKeys: readonly ('vendor' | 'manager' | 'agent')[]
  }
}

/** A release as the engine uses it, after verification. */
export interface VerifiedRelease {
  digest: Digest
  version: string
  sequence: number
  manifest: Manifest
}

/** Config as the engine uses it. Secrets are opened only at the moment a controller writes them. */
export interface ResolvedConfig {
  digest: Digest
  inputs: Readonly<Record<string, string | number | boolean>>
  /** Versions of secrets by resource name. */
  secrets: Readonly<Record<string, { version: number }>>
  /** Addresses of what is provided from outside (`postgres`, or anything on Kubernetes), by resource name. */
  bindings: Readonly<Record<string, unknown>>
  openSecret(name: string): Promise<string>
}
