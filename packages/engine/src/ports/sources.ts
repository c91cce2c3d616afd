import type { Counters, GateAnswer, GateSpec } from '@landfall/rollout'
import type { Digest } from '@landfall/stack'
import type { DeploymentRef, Desired, ResolvedConfig, VerifiedRelease } from './desired.ts'

/** Loads a release and proves it: signature by a key kind the deployment trusts, digest, sequence. Throws `LandfallError`. */
export interface Verifier {
  /** `floor`: the highest sequence this deployment has accepted; an older one fails unless it is the approved stable. */
  load(release: Digest, trust: Desired['policy']['trustedKeys'], deployment: DeploymentRef): Promise<VerifiedRelease>
  /**
   * Where what could not be loaded is being brought: resolves when the next of it is there, and never when it does not come; null where
   * nothing is on its way. Only a wake-up: what may be tried again is, without it.
   */
  arriving?(): Promise<void> | null
}

export interface ConfigSource {
  load(config: Digest, deployment: DeploymentRef): Promise<ResolvedConfig>
}

/** Content by digest. The bytes are checked against the digest by the reader of this port, never trusted. */
export interface BlobSource {
  read(digest: Digest): Promise<Uint8Array>
}

/** Telemetry as evidence; null where the source knows nothing of the version, so that the platform's own counters are used. */
export interface MetricSource {
  read(query: { deployment: string; worker: string; version: string; since: number }): Promise<Counters | null>
}

/** Gates that need I/O from the runner: webhook, command, job. Opening twice is harmless. */
export interface GateRunner {
  ask(
    gate: GateSpec,
    context: { deployment: DeploymentRef; worker: string; rollout: string; version: string },
  ): Promise<GateAnswer>
}
