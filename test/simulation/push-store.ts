import type { Lease, StateStore } from '@landfall/engine'
import { desiredOf } from '../../packages/manager/src/control/store/desired-row.ts'
import { type Database, staleEpoch } from './database.ts'
import type { DeploymentRow } from './rows.ts'

/** Newest controls and answers that are handed to the engine, as in `desired-row.ts`. */
const atOnce = 50

/** Places in the store where a deliberate bug can be put in. */
export interface StoreSeams {
  fenced?: (row: DeploymentRow, lease: Lease) => boolean
  isFree?: (row: DeploymentRow, now: number) => boolean
  isDue?: (row: DeploymentRow, now: number) => boolean
  observedAtRelease?: (row: DeploymentRow, observed: number) => number
}

const fenced = (row: DeploymentRow, lease: Lease) => row.owner === lease.owner && row.epoch === lease.epoch
const isFree = (row: DeploymentRow, now: number) => row.owner === null || row.until <= now
const isDue = (row: DeploymentRow, now: number) =>
  row.requested > row.observed || (row.wakeAt !== null && row.wakeAt <= now)

/** The engine's `StateStore` over the simulated database: what `packages/manager/src/control/store` does in SQL. */
export function createPushStore(db: Database, now: () => number, seams: StoreSeams = {}): StateStore {
  const rules = { fenced, isFree, isDue, ...seams }
  const held = (lease: Lease): DeploymentRow => {
    const row = db.deployment(lease.deployment)
    if (!rules.fenced(row, lease)) throw staleEpoch(lease.deployment, lease.epoch)
    return row
  }
  const since = (row: DeploymentRow) =>
    Math.min(row.wakeAt ?? Number.MAX_VALUE, row.requested > row.observed ? row.requestedAt : Number.MAX_VALUE)
  return {
    async claim(owner, ttlMs, deployment) {
      const at = now()
      const row = [...db.deployments.values()]
        .filter((one) => one.model === 'push' && !one.deleted && rules.isFree(one, at))
        .filter((one) => (deployment === undefined ? rules.isDue(one, at) : one.id === deployment))
        .sort((a, b) => since(a) - since(b) || (a.id < b.id ? -1 : 1))[0]
      if (!row) return null
      row.owner = owner
      row.until = at + ttlMs
      row.epoch += 1
      const lease = { deployment: row.id, owner, epoch: row.epoch, expiresAt: row.until }
      return { lease, desired: desiredFrom(row), state: row.state }
    },
    async renew(lease, ttlMs) {
      const row = held(lease)
      row.until = now() + ttlMs
      return { ...lease, expiresAt: row.until }
    },
    async desired(lease) {
      return desiredFrom(held(lease))
    },
    async persist(lease, state, events) {
      const row = held(lease)
      if (state.phase !== 'access-revoked' && state.phase !== 'pending') row.lastSeenAt = now()
      db.writeState(row, state, now())
      for (const { at, type, message, data } of events) db.audit(row, { at, type, message, data, actor: 'engine' })
    },
    async release(lease, { observed, wakeAt }) {
      const row = held(lease)
      row.observed = Math.max(row.observed, seams.observedAtRelease?.(row, observed) ?? observed)
      row.wakeAt = wakeAt
      row.owner = null
      const { phase } = row.state ?? { phase: 'pending' }
      if (phase !== 'access-revoked' && phase !== 'pending') row.lastSeenAt = now()
    },
  }
}

/** What is asked of a deployment, by the manager's own mapping. */
export function desiredFrom(row: DeploymentRow) {
  return desiredOf({
    id: row.id,
    name: row.id,
    project: 'shop',
    prefix: row.prefix,
    platform: 'local',
    model: row.model,
    environment: row.environment,
    operation: row.operation,
    target: row.target,
    setup_release: row.setupRelease,
    policy: row.policy,
    requested_generation: row.requested,
    controls: row.controls
      .slice(-atOnce)
      .reverse()
      .map((control) => ({ ...control, reason: control.reason ?? null, target: control.target ?? null })),
    customer: row.customer,
    answers: row.answers
      .slice(-atOnce)
      .reverse()
      .map((answer) => ({ ...answer, message: answer.message ?? null })),
  })
}
