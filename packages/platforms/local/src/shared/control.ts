import type { Digest, Grant, Trigger } from '@landfall/stack'

/**
 * What the controllers and the host daemon say to each other over the daemon's unix socket. Every request names the
 * deployment that it acts for; a directory holds one deployment's things, and another one gets `E_FOREIGN`.
 */
export const ownerHeader = 'landfall-deployment'

/** One version of a worker as the host runs it. Durations in milliseconds. */
export interface VersionSpec {
  id: Digest
  /** Release version, such as `1.2.0`; answered as the `landfall-version` header. */
  release: string
  artifact: Digest
  public: boolean
  uses: readonly Grant[]
  triggers: readonly Trigger[]
  /** Literal values, and names of secrets that are opened only when a process starts. */
  env: Readonly<Record<string, string | { secret: string }>>
  /** Version of each secret that this version of the worker sees. */
  secrets: Readonly<Record<string, number>>
  health: { path: string; intervalMs: number; timeoutMs: number; failures: number; startupMs: number }
  gracePeriodMs: number
  timeoutMs: number
  memoryMb: number
}

export interface VersionView {
  spec: VersionSpec
  instances: number
  /** Asked to go; it disappears once its last process has ended. */
  retiring: boolean
  available: number
  total: number
  restarts: number
  failing: { code: string; message: string } | null
  counters: { requests: number; errors: number; latency: readonly number[]; through: number }
}

export interface WorkerView {
  revision: number
  versions: Readonly<Record<Digest, VersionView>>
  /** As asked, and as the router serves now: a version with nothing available serves nothing. */
  shares: Readonly<Record<Digest, number>>
  served: Readonly<Record<Digest, number>>
  triggers: Digest | null
  url: string | null
  /** Since when this daemon runs. */
  since: number
}

export type ResourceSpec =
  | { type: 'storage' }
  | { type: 'kv' }
  | { type: 'queue'; visibilityTimeoutMs: number; maxDeliveries: number }
  | { type: 'secret'; version: number }
  | { type: 'postgres' }

export interface ResourceView {
  revision: number
  spec: ResourceSpec
  status: 'ok' | 'starting' | 'degraded' | 'missing'
  message: string | null
  /** Addresses, never secrets. */
  outputs: Readonly<Record<string, unknown>>
}

export interface HostStatus {
  deployment: string
  pid: number
  since: number
  closing: boolean
}

export interface LogLine {
  /** Grows with every line of the worker; unique. */
  n: number
  at: number
  version: string
  versionId: Digest
  instance: string
  stream: 'stdout' | 'stderr' | 'host'
  line: string
}

export interface TelemetryTarget {
  endpoint: string
  headers: Readonly<Record<string, string>>
}

export interface DeadLetter {
  id: string
  /** Base64. */
  body: string
  contentType: string
  attempts: number
  /** What the last delivery failed with. */
  error: string
  at: number
}
