import { LandfallError } from '@landfall/stack'
import { decide } from '../decide/decide.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { Claimed } from '../ports/store.ts'
import type { DeploymentPhase } from '../state/deployment-state.ts'
import type { EngineDeps } from './engine-deps.ts'
import { Session } from './session.ts'

export interface RunOutcome {
  deployment: string
  phase: DeploymentPhase
  /**
   * `rests`: nothing to do before the wake time · `yielded`: there is more to do, others get their turn first · `stopped`: by
   * the signal, after the current step · `lost`: another runner has the lease, nothing more was done
   */
  ended: 'rests' | 'yielded' | 'stopped' | 'lost'
  wakeAt: number | null
}

export interface RunOptions extends EngineDeps {
  /** Ends the run gracefully: the current step is finished and persisted, the lease released. */
  signal: AbortSignal
  /** Only this deployment; otherwise whichever is due. */
  deployment?: string
}

/**
 * Claims one deployment and works on it until it rests, its time is up, or the lease is lost:
 *
 *     take lease (epoch) → load state → verify release → decide → step* (persist after each) → release lease
 *
 * Answers null when no deployment was due. Rejects only when the store fails otherwise than by a stale epoch; then the lease
 * runs out, and the next runner goes on from the last persisted step.
 */
export async function runDeployment(options: RunOptions): Promise<RunOutcome | null> {
  const limits = { ...defaultLimits, ...options.limits }
  const claimed = await options.store.claim(options.owner, limits.leaseMs, options.deployment)
  return claimed ? runClaimed(options, claimed, limits) : null
}

/** The same, for a deployment that is already claimed. */
export async function runClaimed(options: RunOptions, claimed: Claimed, limits: Limits): Promise<RunOutcome> {
  const session = new Session(options, claimed, limits)
  try {
    return await loop(session, options, limits)
  } catch (error) {
    if (!LandfallError.is(error, 'E_STALE_EPOCH') && !session.keeper.lost.aborted) throw error
    session.keeper.lose()
    return { deployment: claimed.lease.deployment, phase: session.phase, ended: 'lost', wakeAt: null }
  } finally {
    await session.keeper.stop()
  }
}

async function loop(session: Session, options: RunOptions, limits: Limits): Promise<RunOutcome> {
  const { clock } = options
  const startedAt = clock.now()
  for (;;) {
    session.checkLease()
    const desired = await session.readDesired()
    const targets = await session.loader.targets(desired, session.state, clock.now())
    const before = session.state
    const decision = decide(desired, before, targets, session.world, limits, clock.now())
    await session.save(decision.state, decision.events)
    const now = clock.now()
    const wakeAt = decision.wakeAt
    if (options.signal.aborted) return session.release('stopped', now)
    const moved = decision.events.length > 0 || before === null
    if (decision.operations.length > 0) {
      if (now - startedAt > limits.sessionMs) return session.release('yielded', now)
      await session.carryOut(decision.operations)
    } else if (!moved) {
      if (wakeAt === null || wakeAt - now > limits.lingerMs) return session.release('rests', wakeAt)
      if (now - startedAt > limits.sessionMs) return session.release('yielded', wakeAt)
      await session.sleep(Math.max(10, wakeAt - now))
    }
  }
}
