import { join } from 'node:path'
import type { Clock, Random } from '@landfall/engine'
import type { BundleStore } from '@landfall/release'
import type { Identity } from '../identity/identity.ts'
import type { AgentSources } from '../parts.ts'
import type { Problems } from '../problems.ts'
import type { AgentState } from '../state/agent-state.ts'
import type { AgentStore } from '../store/agent-store.ts'
import { createBlobs } from './blobs.ts'
import { createAgentConfig } from './config.ts'
import { createAgentGates, type GateCommands } from './gates.ts'
import { referenced } from './referenced.ts'
import { createReleases } from './releases.ts'
import { stocked } from './stock.ts'
import type { Trust } from './trust.ts'
import type { Upstream } from './upstream.ts'
import { createAgentVerifier, ranHere } from './verifier.ts'

export interface SourcesOptions {
  directory: string
  state: AgentState
  store: AgentStore
  bundles: BundleStore
  trust: Trust
  identity: Identity
  problems: Problems
  clock: Clock
  random: Random
  upstream: Upstream | null
  commands: () => GateCommands | null
  webhooks: boolean
  /** A release that was missing may be here now. */
  onReady: (deployment: string) => void
}

/** One composite of every source: what is cached, what was imported, and the manager where there is one. */
export function createSources(options: SourcesOptions): AgentSources & {
  /** Removes what nothing can run any more; in the background, one at a time. */
  tidy(): void
  settled(): Promise<void>
} {
  const { directory, state, store, bundles, trust, identity, problems, clock, random, upstream, commands } = options
  const releases = createReleases(state, bundles, upstream)
  const blobs = createBlobs({
    directory: join(directory, 'blobs'),
    bundles,
    upstream,
    onDisk: (full) => (full ? problems.set('DISK_FULL', full.message) : problems.clear('DISK_FULL')),
  })
  const refresh = async () => (upstream ? trust.take(await upstream.keyset(), clock.now()) : false)
  const proving = createAgentVerifier({
    releases,
    trust,
    store,
    clock,
    refresh: upstream ? refresh : async () => null,
  })
  const verifier = stocked(proving, {
    blobs,
    accepted: (release, deployment) => ranHere(store, release, deployment),
    onReady: (deployment) => options.onReady(deployment),
  })
  const gates = createAgentGates({
    ...{ store, verifier, identity, clock, random, fetch: globalThis.fetch, commands },
    webhooks: options.webhooks,
  })
  let tidying: Promise<void> | null = null
  let tidied = ''
  const tidy = async () => {
    for (const deployment of store.deployments()) {
      const kept = await referenced(store, releases, deployment)
      const key = kept ? [...kept.releases].sort().join() : ''
      if (!kept || key === tidied) continue
      releases.keepOnly(kept.releases)
      await blobs.keepOnly(kept.blobs)
      tidied = key
    }
  }
  return {
    verifier,
    config: createAgentConfig(state, identity),
    blobs,
    // The platform's own counters are at hand and are what is judged.
    metrics: { read: async () => null },
    gates,
    releases,
    bundles,
    trust,
    tidy() {
      tidying ??= tidy()
        .catch(() => {})
        .finally(() => {
          tidying = null
        })
    },
    settled: async () => {
      await tidying
      await verifier.settled()
    },
  }
}
