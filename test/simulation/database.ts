import { type AuditContent, genesis, hashOf, storable } from '@landfall/contract'
import type { DeploymentState, Target } from '@landfall/engine'
import { type FleetPlan, startFleet, supersedeFleet } from '@landfall/rollout'
import { digestOf, LandfallError } from '@landfall/stack'
import { planOf } from '../../packages/manager/src/control/fleet/plan-of.ts'
import type { StoredPlan } from '../../packages/manager/src/store/tables/releases.ts'
import type { SimRelease } from './releases.ts'
import type { DeploymentRow, RolloutRow } from './rows.ts'

export type Topic = 'deployments' | 'rollouts' | 'commands'

/**
 * The one database of the managers. Each method is one transaction: it happens at one instant, whole or not at all; what lies between
 * two of them is the scheduler's. Says what the SQL of `packages/manager` says.
 */
export class Database {
  readonly deployments = new Map<string, DeploymentRow>()
  readonly rollouts = new Map<string, RolloutRow>()
  readonly releases = new Map<string, SimRelease>()
  /** Config documents by digest. */
  readonly configs = new Map<
    string,
    { inputs: Record<string, number>; secrets: Secrets; bindings: Record<string, never> }
  >()
  freeze: { until: number | null; reason: string } | null = null
  /** Wake-ups after a commit: may be lost. */
  notify: (topic: Topic) => void = () => {}

  deployment(id: string): DeploymentRow {
    const row = this.deployments.get(id)
    if (!row) throw new RangeError(`no deployment ${id}`)
    return row
  }

  /** The target that a deployment would be told for a release, its config stored by its digest. */
  prepare(row: DeploymentRow, release: string): Target {
    const document = { inputs: {}, secrets: { key: { version: row.level, hash: `hash ${row.level}` } }, bindings: {} }
    const config = digestOf(document)
    this.configs.set(config, document)
    const pair = { release, config }
    return { digest: digestOf(pair), ...pair }
  }

  tell(
    row: DeploymentRow,
    target: Target | null,
    rollout: string | null,
    actor: string,
    why: string,
    at: number,
  ): void {
    row.target = target
    if (rollout !== null) row.rollout = rollout
    this.bump(row, at)
    if (target) row.told.push({ target, generation: row.requested })
    this.audit(row, { type: 'deployment.told', actor, message: why, data: { target }, at })
  }

  bump(row: DeploymentRow, at: number): void {
    if (row.requested === row.observed) row.requestedAt = at
    row.requested += 1
    this.notify('deployments')
  }

  audit(row: DeploymentRow, entry: { type: string; actor: string; message: string; data?: unknown; at: number }): void {
    const head = row.chain.at(-1)
    const content: AuditContent = {
      deployment: row.id,
      number: (head?.number ?? 0) + 1,
      at: new Date(entry.at).toISOString(),
      type: entry.type,
      actor: entry.actor,
      code: null,
      message: entry.message,
      resource: null,
      data: storable(entry.data ?? null),
      previous: head?.hash ?? genesis(row.id),
    }
    row.chain.push({ ...content, hash: hashOf(content) })
  }

  /** What `writeState` does: the state, and the rollout that told it looks again where it moved. */
  writeState(row: DeploymentRow, state: DeploymentState | null, at: number): void {
    const moved = row.state?.phase !== state?.phase || row.state?.generation !== state?.generation
    // Never changed in place by the engine; that states bear JSON is proved by the agents of the same world.
    row.state = state
    if (state?.phase === 'deleted') row.deleted = true
    if (moved && row.rollout) this.nudge(row.rollout, at)
  }

  nudge(rollout: string, at: number): void {
    const row = this.rollouts.get(rollout)
    if (!row || row.requested > row.observed) return
    row.requested += 1
    row.requestedAt = at
    this.notify('rollouts')
  }

  /** What `createRollout` does. */
  createRollout(release: SimRelease, plan: StoredPlan, at: number): string {
    const { channel } = release
    const all = [...this.rollouts.values()].filter((row) => row.channel === channel)
    const open = all.filter((row) => row.finishedAt === null && row.state.phase !== 'aborting')
    const same = open.find((row) => row.release === release.digest)
    if (same) return same.id
    for (const row of open) {
      row.state = supersedeFleet(row.state, at)
      row.finishedAt = at
      row.wakeAt = null
    }
    const newest = Math.max(0, ...all.map((row) => row.createdAt))
    const id = `rol${this.rollouts.size + 1}`
    const compiled: FleetPlan = planOf(plan)
    this.rollouts.set(id, {
      id,
      channel,
      release: release.digest,
      version: release.version,
      plan,
      state: startFleet({ id, plan: compiled, now: at }),
      createdAt: Math.max(at, newest + 1),
      finishedAt: null,
      requested: 1,
      observed: 0,
      requestedAt: at,
      wakeAt: null,
      controls: [],
    })
    this.notify('rollouts')
    return id
  }
}

type Secrets = Record<string, { version: number; hash: string }>

export function staleEpoch(deployment: string, epoch: number): LandfallError {
  return new LandfallError({
    code: 'E_STALE_EPOCH',
    message: `The lease on ${deployment} with epoch ${epoch} is not the current one.`,
    hint: 'Nothing was changed.',
  })
}
