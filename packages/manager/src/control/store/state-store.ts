import type { Clock, StateStore } from '@landfall/engine'
import type { Database } from '../../store/database.ts'
import { claim, type Scope } from './claim.ts'
import { persist } from './persist.ts'
import { readDesired } from './read-desired.ts'
import { release } from './release.ts'
import { renew } from './renew.ts'

export interface StateStoreOptions extends Scope {
  db: Database
  /** Managers' clocks may differ: that costs an early take-over, never a double write, because epochs fence. */
  clock: Clock
  /** Called after a commit that another loop wants to hear of. */
  onPersist?: (persisted: { deployment: string; nudge: string | null }) => void
}

/** The engine's `StateStore` over the rows of `deployments`. Any number of managers may share it. */
export function createStateStore(options: StateStoreOptions): StateStore {
  const { db, clock } = options
  return {
    claim: (owner, ttlMs, deployment) => claim(db, options, { owner, ttlMs, now: clock.now(), deployment }),
    renew: (lease, ttlMs) => renew(db, lease, clock.now(), ttlMs),
    desired: (lease) => readDesired(db, lease),
    persist: async (lease, state, events) => {
      const { nudge } = await persist(db, lease, state, events, clock.now())
      options.onPersist?.({ deployment: lease.deployment, nudge })
    },
    release: (lease, outcome) => release(db, lease, outcome, clock.now()),
  }
}
