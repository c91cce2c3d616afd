import type { Desired } from '@landfall/engine'
import { storeConformance } from '@landfall/engine/testing/conformance'
import { customerSettings } from '@landfall/stack'
import { Database } from './database.ts'
import { createPushStore } from './push-store.ts'
import type { DeploymentRow } from './rows.ts'

/** The row that a desired of the conformance suite asks for. */
function rowOf(desired: Desired, before: DeploymentRow | undefined, now: number): DeploymentRow {
  const { generation, target, setup, operation, policy } = desired
  return {
    ...{
      ...desired.deployment,
      channel: 'stable' as const,
      group: null,
      pinned: null,
      rollout: null,
      level: 1,
      wakeAt: null,
    },
    ...{ observed: 0, owner: null, until: 0, epoch: 0, state: null, lastSeenAt: null, deleted: false, answers: [] },
    ...{ told: [], chain: [], reported: 0, copied: [], copy: { number: 0, hash: '' } },
    ...before,
    ...{
      operation,
      setupRelease: setup?.release ?? null,
      target,
      policy,
      controls: [...desired.controls],
      answers: [...desired.answers],
    },
    customer: customerSettings.parse({ ...desired.customer, windows: [...desired.customer.windows] }),
    requested: generation,
    requestedAt: now,
  }
}

storeConformance('the simulated store of managers', async () => {
  const db = new Database()
  let now = Date.UTC(2026, 0, 1)
  return {
    store: createPushStore(db, () => now),
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    put: (desired) => {
      const { id } = desired.deployment
      db.deployments.set(id, rowOf(desired, db.deployments.get(id), now))
    },
    state: (id) => db.deployments.get(id)?.state ?? null,
    events: (id) => (db.deployments.get(id)?.chain ?? []).map(({ message }) => message),
  }
})
