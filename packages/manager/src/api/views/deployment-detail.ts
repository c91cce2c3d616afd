import type { deploymentDetail, resourceStatus, workerRollout } from '@landfall/contract'
import type { DeploymentState, WorkerState } from '@landfall/engine'
import { dependenciesOf, durationMs, frozenDifference, type Manifest } from '@landfall/stack'
import type { z } from 'zod'
import type { DeploymentRow } from '../../store/deployments/find-deployment.ts'
import type { ReleaseRow } from '../../store/releases/find-release.ts'
import type { ReleaseIndex } from '../../store/releases/release-index.ts'
import type { DeploymentView } from './deployment-rows.ts'

export type DeploymentDetail = z.output<typeof deploymentDetail>

interface Parts {
  row: DeploymentRow
  view: DeploymentView
  releases: ReleaseIndex
  /** Manifests of what it rests on (or is set up with), and of what it is to run. */
  actual: ReleaseRow | null
  target: ReleaseRow | null
  setup: ReleaseRow | null
  /** Versions of the targets that went back, by the target's digest. */
  rejected: ReadonlyMap<string, string>
}

/** Everything the deployment's page shows. */
export function deploymentDetailView({
  row,
  view,
  releases,
  actual,
  target,
  setup,
  rejected,
}: Parts): DeploymentDetail {
  const { state } = row
  const manifest = (actual ?? target ?? setup)?.statement.manifest ?? null
  const wanted = (target ?? actual)?.statement.manifest ?? manifest
  return {
    ...view,
    environment: row.environment,
    policy: row.policy,
    conditions: (state?.conditions ?? []).map((condition) => ({ ...condition, since: iso(condition.since) })),
    resources: state ? resources(state, wanted) : [],
    workers: state
      ? Object.entries(state.workers).map(([name, worker]) => workerView(name, worker, state, wanted, releases))
      : [],
    generation: { requested: row.requested_generation, observed: row.observed_generation },
    rejected: (state?.rejected ?? []).map(({ target: digest, code, message, at }) => ({
      version: rejected.get(digest) ?? 'unknown',
      code,
      message,
      at: iso(at),
    })),
    setupDifference: difference(setup, target),
    commands: commands(manifest),
  }
}

function resources(state: DeploymentState, manifest: Manifest | null): z.output<typeof resourceStatus>[] {
  const known = new Map(manifest?.resources.map((resource) => [resource.name, resource]))
  return Object.values(state.resources).map(({ name, type, lifecycle, phase, reason, drift, outputs, spec }) => {
    const resource = known.get(name) ?? spec
    return {
      name,
      type,
      lifecycle,
      phase,
      reason: reason && { ...reason, since: iso(reason.since) },
      dependsOn: resource ? [...dependenciesOf(resource)] : [],
      drift: [...drift],
      outputs: { ...outputs },
    }
  })
}

function workerView(
  name: string,
  worker: WorkerState,
  state: DeploymentState,
  manifest: Manifest | null,
  releases: ReleaseIndex,
): z.output<typeof workerRollout> {
  const { rollout } = worker
  const resource = manifest?.resources.find((one) => one.name === name)
  const plan = resource?.type === 'worker' || resource?.type === 'container' ? resource.rollout : undefined
  const label = (version: string | null) => {
    const target = version === null ? undefined : worker.versions?.[version]?.target
    return releases.get(target?.release)?.version ?? null
  }
  const stable = label(worker.stable) ?? releases.get(state.stable?.release)?.version ?? null
  return {
    worker: name,
    url: worker.url,
    stableVersion: worker.stable === null ? null : stable,
    candidateVersion:
      worker.candidate === null
        ? null
        : (label(worker.candidate) ?? releases.get(state.candidate?.release)?.version ?? null),
    phase: rollout?.phase ?? null,
    step: rollout?.step ?? -1,
    steps: (plan?.steps ?? []).map(({ share, bake }) => ({ share, bakeMs: durationMs(bake) })),
    asked: rollout?.asked ?? 0,
    // What the router was read to serve, not what was asked.
    served: worker.candidate === null ? (rollout?.served ?? 0) : (worker.served[worker.candidate] ?? 0),
    reason: rollout ? { ...rollout.reason, since: iso(rollout.reason.since) } : null,
    evidence: [...(rollout?.evidence ?? [])],
    series: [...(rollout?.series ?? [])],
    decisions: (rollout?.decisions ?? []).map(({ at, code, message, step, by }) => ({
      at,
      code,
      message,
      step,
      ...(by === undefined ? {} : { by }),
    })),
    aborted: rollout?.aborted ?? null,
  }
}

/** What a person has to set up before the target can be reached; empty when nothing is missing. */
function difference(setup: ReleaseRow | null, target: ReleaseRow | null): string[] {
  if (!target) return []
  if (!setup) return target.statement.manifest.resources.length > 0 ? ['Nothing has been set up yet.'] : []
  return frozenDifference(setup.statement.manifest, target.statement.manifest).map(({ message }) => message)
}

function commands(manifest: Manifest | null): DeploymentDetail['commands'] {
  return (manifest?.resources ?? []).flatMap((resource) =>
    resource.type === 'worker' || resource.type === 'container'
      ? Object.entries(resource.commands).map(([name, { description, input }]) => ({
          worker: resource.name,
          name,
          description: description ?? null,
          input,
        }))
      : [],
  )
}

const iso = (ms: number) => new Date(ms).toISOString()
