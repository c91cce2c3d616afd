import type { Target } from '@landfall/engine'
import type { Order } from '../../packages/manager/src/control/fleet/tell-many.ts'
import type { Database } from './database.ts'
import type { DeploymentRow, RolloutRow } from './rows.ts'
import type { Scheduler } from './scheduler.ts'
import type { Truth } from './truth.ts'

/** What a deployment really rested on when a rollout told it, and since, other than what that rollout brings. */
interface OwnStable {
  deployment: string
  brings: Set<string>
  rested: Set<string | null>
}

/** Checks the invariants of fleet rollouts: at each look, and whenever one tells a deployment. */
export class FleetWatch {
  readonly #scheduler: Scheduler
  readonly #truth: Truth
  readonly #db: Database
  readonly #fail: (invariant: string, message: string) => void
  readonly #own = new Map<string, OwnStable>()
  /** Digest that a deployment rests on, whether or not any manager knows. */
  readonly #stable = new Map<string, string | null>()

  constructor(deps: {
    scheduler: Scheduler
    truth: Truth
    db: Database
    fail: (invariant: string, message: string) => void
  }) {
    this.#scheduler = deps.scheduler
    this.#truth = deps.truth
    this.#db = deps.db
    this.#fail = deps.fail
  }

  /** A deployment has a new stable: its digest. */
  rests(id: string, stable: string | null): void {
    this.#stable.set(id, stable)
    for (const own of this.#own.values())
      if (own.deployment === id && stable !== null && !own.brings.has(stable)) own.rested.add(stable)
  }

  /** A fleet rollout is about to tell a deployment. */
  told(row: DeploymentRow, order: Order, cause: 'rollout' | 'return', rollout: RolloutRow, now: number): void {
    const { target, retry } = order
    const who = `${row.id} by ${rollout.id} (${rollout.version})`
    if (row.pinned !== null) this.#fail('pinned ones are not told', who)
    if (row.operation !== 'run' || row.deleted) this.#fail('leaving ones are not told', who)
    const teller = row.rollout ? this.#db.rollouts.get(row.rollout) : undefined
    const newer = teller?.channel === row.channel && teller.createdAt > rollout.createdAt
    if (rollout.channel !== row.channel) this.#fail('only its own channel tells', `${who}: it follows ${row.channel}`)
    const { phase } = rollout.state
    if (newer && !(phase === 'complete' && teller.state.phase === 'aborted'))
      this.#fail('a newer rollout is not undone', `${who}, told by ${teller.id} since`)
    if (cause === 'return') {
      if (phase !== 'aborting' && phase !== 'aborted') this.#fail('only an abort returns', who)
      const own = this.#own.get(`${rollout.id} ${row.id}`)
      // Nothing is asked of it while it is not known what it rested on: it goes on with that.
      const member = rollout.state.members[row.id]
      if (!target && member?.from && !member.unsure)
        this.#fail('each returns to its own stable', `${who}: nothing, although that is known`)
      if (own && target && !own.rested.has(target.digest))
        this.#fail('each returns to its own stable', `${who}: ${nameOf(this.#db, target)}`)
      return
    }
    this.#reached(row, rollout, target)
    // Its engine refuses at once what it remembers as gone back, and what asks nobody again would abort at once.
    const wentBack = row.state?.rejected.some((entry) => entry.target === target?.digest)
    if (wentBack && !retry) this.#fail('what went back is tried again', `${who}: told without a retry`)
    if (!['progressing', 'promoting', 'complete', 'paused'].includes(phase))
      this.#fail('only a running rollout tells', `${who}, ${phase}`)
    const { freeze } = this.#db
    if (freeze && !this.#truth.skewed && (freeze.until === null || now < freeze.until))
      this.#fail('a freeze holds every start', who)
    if (row.model === 'airgapped') this.#fail('who gets bundles is not told', who)
  }

  /** What an aborted rollout has still to take back is nobody's own stable: whoever tells the deployment since sends it where that one would have. */
  #reached(row: DeploymentRow, rollout: RolloutRow, target: Target | null): void {
    const key = `${rollout.id} ${row.id}`
    const known = this.#own.get(key)
    const own = known ?? { deployment: row.id, brings: new Set<string>(), rested: new Set<string | null>() }
    this.#own.set(key, own)
    if (target) own.brings.add(target.digest)
    const teller = row.rollout && row.rollout !== rollout.id ? this.#db.rollouts.get(row.rollout) : undefined
    const taking =
      teller?.state.members[row.id]?.status === 'returning' ? this.#own.get(`${teller.id} ${row.id}`) : null
    const stable = this.#stable.get(row.id) ?? null
    if (taking) for (const digest of taking.brings) own.brings.add(digest)
    if (taking) for (const digest of taking.rested) own.rested.add(digest)
    // Who rests on the target when it is first told, called back from another, has that for its own.
    else if (!known || stable === null || !own.brings.has(stable)) own.rested.add(stable)
  }

  /** A fleet rollout had a look: one that came back by itself, such as from a pause, may be one too many; one that was begun may not. */
  looked(rollout: RolloutRow, before: RolloutRow['state']): void {
    const flying = Object.values(rollout.state.members).filter((member) => member.status === 'in-flight')
    const begun = flying.filter((member) => before.members[member.id]?.told !== true)
    if (begun.length > 0 && flying.length > rollout.plan.maxInFlight)
      this.#fail('in flight at most', `${rollout.id} has ${flying.length} of ${rollout.plan.maxInFlight} in flight`)
    this.#abortReaches(rollout)
    for (const { id, status, from } of Object.values(rollout.state.members)) {
      const own = this.#own.get(`${rollout.id} ${id}`)
      const fresh = status === 'returned' && before.members[id]?.status !== 'returned'
      if (fresh && from === null && own && !own.rested.has(null))
        this.#fail(
          'each returns to its own stable',
          `${id} was left with nothing by ${rollout.id} (${rollout.version})`,
        )
    }
  }

  /** Those that an aborted rollout told, and that can be told, are told their way back at one of the next looks. */
  #abortReaches({ id, state, channel }: RolloutRow): void {
    const { aborted } = state.core
    if (!aborted || this.#truth.skewed || this.#scheduler.now - aborted.at < 120_000) return
    for (const member of Object.values(state.members)) {
      const row = this.#db.deployments.get(member.id)
      if (member.status !== 'returning' || !row || row.rollout !== id || row.channel !== channel) continue
      const tellable = row.pinned === null && row.operation === 'run' && !row.deleted
      if (tellable && row.target?.digest === member.target)
        this.#fail('an abort reaches those in flight', `${row.id} was told by ${id}, and never its way back`)
    }
  }
}

/** A target in words: its version, and the beginning of its digest. */
export const nameOf = (db: Database, target: Target): string =>
  `${db.releases.get(target.release)?.version ?? 'an unknown release'} (${target.digest.slice(7, 13)})`
