import type { ComputeResource, Digest, Resource } from '@landfall/stack'
import type { ResolvedConfig, Target, VerifiedRelease } from '../ports/desired.ts'
import { liveCompute } from './compute.ts'
import { versionId } from './version-id.ts'

/** A target with what it means: the verified release, the config, and the id of each live worker's version. */
export interface LoadedTarget {
  target: Target
  release: VerifiedRelease
  config: ResolvedConfig
  versions: Readonly<Record<string, Digest>>
}

export interface LoadProblem {
  code: string
  message: string
  retryable: boolean
}

/** What the pure part knows of releases in one turn. */
export interface Targets {
  /** By target digest. */
  loaded: ReadonlyMap<Digest, LoadedTarget>
  /** Why a target could not be loaded, by target digest. */
  problems: ReadonlyMap<Digest, LoadProblem>
  setup: VerifiedRelease | null
  setupProblem: LoadProblem | null
}

export function loadedTarget(target: Target, release: VerifiedRelease, config: ResolvedConfig): LoadedTarget {
  const versions = Object.fromEntries(
    liveCompute(release.manifest).map((worker) => [worker.name, versionId(worker, config)]),
  )
  return { target, release, config, versions }
}

export function resourceOf(target: LoadedTarget | undefined | null, name: string): Resource | undefined {
  return target?.release.manifest.resources.find((resource) => resource.name === name)
}

export function computeOf(target: LoadedTarget | undefined | null, name: string): ComputeResource | undefined {
  const resource = resourceOf(target, name)
  return resource?.type === 'worker' || resource?.type === 'container' ? resource : undefined
}
