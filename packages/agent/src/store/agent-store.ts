import type { Claimed, Clock, DeploymentState, Desired, EngineEvent, Lease, StateStore } from '@landfall/engine'
import { type Digest, LandfallError } from '@landfall/stack'
import type { AgentAudit } from '../audit/agent-audit.ts'
import type { AgentState } from '../state/agent-state.ts'

/** The engine's store, and what the rest of the agent does with it. */
export interface AgentStore extends StateStore {
  /** Sets what a deployment is to be. A generation that is not higher than the one there changes nothing and answers false. */
  put(desired: Desired): boolean
  /** Has a deployment looked at again now: what counts beside the order has changed. Nothing happens where it is not known. */
  touch(deployment: string): void
  /** Ids of the deployments, sorted. */
  deployments(): string[]
  /** What is asked of a deployment and what it came to; null when it is not known. Takes no lease. */
  look(deployment: string): Look | null
}

export interface Look {
  /** With the site's own settings over what was put. */
  desired: Desired
  /** The release whose setup was put, whether it counts already or not. */
  setup: Digest | null
  state: DeploymentState | null
  /** Generation that was acted on. */
  observed: number
  /** When it is looked at again at the latest, in milliseconds; null: only when something new is asked. */
  wakeAt: number | null
}

interface Row {
  epoch: number
  owner: string | null
  until: number
  observed: number
  wakeAt: number | null
  /** Since when the newest generation waits. */
  askedAt: number
  /** Touched while a lease was held: its end must not forget that. */
  touched?: boolean
}

export interface AgentStoreOptions {
  state: AgentState
  audit: AgentAudit
  clock: Clock
  /** What the engine and `look` are shown of what was put, such as with the site's own settings over it. Cheap and pure. */
  view?: (desired: Desired, state: DeploymentState | null) => Desired
  /** Told after something of a deployment was written that others may want to know of. */
  onChange?: (deployment: string) => void
}

/**
 * The engine's `StateStore` over the agent's sealed state, for one or few deployments. Opening it is a take-over: every epoch
 * is raised and every lease freed, so whatever a predecessor still writes is refused. Open it only under the agent's lock.
 */
export function createAgentStore(options: AgentStoreOptions): AgentStore {
  const { state, audit, clock, view = (desired: Desired) => desired, onChange = () => {} } = options
  const read = <T>(deployment: string, part: 'desired' | 'state' | 'run') =>
    state.get(nameOf(deployment, part)) as T | undefined
  const run = (deployment: string) => read<Row>(deployment, 'run') ?? null
  const write = (deployment: string, row: Row) => state.put(nameOf(deployment, 'run'), row)
  const stateOf = (deployment: string) => read<DeploymentState>(deployment, 'state') ?? null

  const desiredOf = (deployment: string): Desired => {
    const desired = read<Desired>(deployment, 'desired')
    if (!desired) throw new RangeError(`no deployment ${deployment}`)
    return desired
  }
  const shown = (deployment: string): Desired => view(desiredOf(deployment), stateOf(deployment))

  const deployments = () =>
    state
      .names('deployment/')
      .filter((name) => name.endsWith('/desired'))
      .map((name) => name.slice('deployment/'.length, -'/desired'.length))

  const fenced = (lease: Lease): Row => {
    const row = run(lease.deployment)
    if (row && row.owner === lease.owner && row.epoch === lease.epoch) return row
    throw new LandfallError({
      code: 'E_STALE_EPOCH',
      message: `The lease on ${lease.deployment} with epoch ${lease.epoch} is not the current one.`,
      hint: 'Nothing was changed and nothing is to be done: the runner that holds the lease now goes on.',
    })
  }

  /** The deployment to claim: the named one, or the one due longest; null when none is free. */
  const pick = (now: number, wanted: string | undefined): string | null => {
    let best: { deployment: string; since: number } | null = null
    for (const deployment of wanted === undefined ? deployments() : [wanted]) {
      const row = run(deployment)
      if (!row || (row.owner !== null && row.until > now)) continue
      const waiting = row.observed < desiredOf(deployment).generation ? row.askedAt : Number.POSITIVE_INFINITY
      const since = Math.min(waiting, row.wakeAt ?? Number.POSITIVE_INFINITY)
      // A clock that was set back must not hide what is asked.
      if (wanted === undefined && since > now && waiting === Number.POSITIVE_INFINITY) continue
      if (best === null || since < best.since) best = { deployment, since }
    }
    return best?.deployment ?? null
  }

  state.transaction(() => {
    for (const deployment of deployments()) {
      const row = run(deployment)
      if (row) write(deployment, { ...row, epoch: row.epoch + 1, owner: null, until: 0 })
    }
  })

  return {
    deployments,

    put: (desired) => {
      const { id } = desired.deployment
      const taken = state.transaction(() => {
        const before = read<Desired>(id, 'desired')
        if (before && desired.generation <= before.generation) return false
        const row = run(id) ?? { epoch: 0, owner: null, until: 0, observed: 0, wakeAt: null, askedAt: 0 }
        state.put(nameOf(id, 'desired'), desired)
        write(id, { ...row, askedAt: clock.now() })
        return true
      })
      if (taken) onChange(id)
      return taken
    },

    touch: (deployment) =>
      state.transaction(() => {
        const row = run(deployment)
        if (row) write(deployment, { ...row, wakeAt: clock.now(), touched: true })
      }),

    look: (deployment) => {
      const row = run(deployment)
      if (!row) return null
      const { observed, wakeAt } = row
      const setup = desiredOf(deployment).setup?.release ?? null
      return { desired: shown(deployment), setup, state: stateOf(deployment), observed, wakeAt }
    },

    claim: async (owner, ttlMs, wanted): Promise<Claimed | null> => {
      const now = clock.now()
      // Most looks find nothing: they must not write.
      if (pick(now, wanted) === null) return null
      return state.transaction(() => {
        const deployment = pick(now, wanted)
        const row = deployment === null ? null : run(deployment)
        if (deployment === null || !row) return null
        const lease = { deployment, owner, epoch: row.epoch + 1, expiresAt: now + ttlMs }
        write(deployment, { ...row, epoch: lease.epoch, owner, until: lease.expiresAt, touched: false })
        return { lease, desired: shown(deployment), state: stateOf(deployment) }
      })
    },

    renew: async (lease, ttlMs) =>
      state.transaction(() => {
        const until = clock.now() + ttlMs
        write(lease.deployment, { ...fenced(lease), until })
        return { ...lease, expiresAt: until }
      }),

    desired: async (lease) => {
      fenced(lease)
      return shown(lease.deployment)
    },

    persist: async (lease, next, events: readonly EngineEvent[]) => {
      state.transaction(() => {
        fenced(lease)
        state.put(nameOf(lease.deployment, 'state'), next)
        audit.append(
          lease.deployment,
          events.map((event) => ({ ...event, actor: 'engine' })),
        )
      })
      onChange(lease.deployment)
    },

    release: async (lease, { observed, wakeAt }) => {
      const before = state.transaction(() => {
        const { touched = false, ...row } = fenced(lease)
        write(lease.deployment, { ...row, owner: null, until: 0, observed, wakeAt: touched ? clock.now() : wakeAt })
        return row
      })
      if (before.observed !== observed) onChange(lease.deployment)
    },
  }
}

const nameOf = (deployment: string, part: string): string => `deployment/${deployment}/${part}`
