import { frozenDifference } from '@landfall/stack'
import type { Targets } from '../plan/targets.ts'
import type { Target } from '../ports/desired.ts'
import type { DeploymentPhase } from '../state/deployment-state.ts'
import { consentHold } from './consent-hold.ts'
import type { Turn } from './turn.ts'

/** Why the wanted target is not worked towards now. `rests`: the phase the deployment has while it rests on stable. */
export interface Hold {
  rests: DeploymentPhase
  code: string
  message: string
  /** The target is to be remembered as refused. */
  reject?: boolean
  /** The differences or problems, one each. */
  details?: readonly string[]
  /** Only this turn: nothing that is under way is given up for it. */
  passing?: boolean
}

/** What stands against the wanted target, or null when nothing does. */
export function holdOf(turn: Turn, targets: Targets): Hold | null {
  const { state, desired } = turn
  const wanted = desired.target
  if (!wanted && state.stable) {
    const message = 'Nothing is asked to run here any more; what runs goes on until a release is told'
    return { rests: 'running', code: 'NOTHING_ASKED', message }
  }
  if (!wanted) return { rests: 'pending', code: 'NO_TARGET', message: 'No release has reached this deployment yet' }
  const rejected = state.rejected.find((entry) => entry.target === wanted.digest)
  if (rejected) {
    return { rests: state.stable ? 'running' : 'failed', code: rejected.code, message: rejected.message }
  }
  if (!desired.setup) {
    return { rests: 'needs-setup', code: 'NEEDS_SETUP', message: 'Waits for the customer to approve the setup' }
  }
  if (state.stable?.digest === wanted.digest) return null
  return (
    loadHold(turn, targets, wanted) ??
    setupHold(targets, wanted) ??
    olderHold(turn, targets, wanted) ??
    consentHold(turn, wanted)
  )
}

function loadHold(turn: Turn, targets: Targets, wanted: Target): Hold | null {
  const problem = targets.problems.get(wanted.digest) ?? targets.setupProblem
  if (!problem) return null
  const rests = turn.state.stable ? 'running' : 'pending'
  if (problem.retryable) return { rests, code: problem.code, message: problem.message, passing: true }
  return { rests: 'failed', code: problem.code, message: problem.message, reject: problem !== targets.setupProblem }
}

/** Law 6: what is frozen, and what the deployment may do, changes only by a setup that a person applied. */
function setupHold(targets: Targets, wanted: Target): Hold | null {
  const release = targets.loaded.get(wanted.digest)?.release
  if (!targets.setup || !release) return null
  const differences = frozenDifference(targets.setup.manifest, release.manifest)
  if (differences.length === 0) return null
  const details = differences.map((difference) => difference.message)
  return {
    rests: 'needs-setup',
    code: 'NEEDS_SETUP',
    message: `Release ${release.version} needs a setup update: ${details.slice(0, 3).join('; ')}${details.length > 3 ? '; …' : ''}`,
    details,
  }
}

/** The floor against downgrades. A release that was stable here before is none. */
function olderHold(turn: Turn, targets: Targets, wanted: Target): Hold | null {
  const release = targets.loaded.get(wanted.digest)?.release
  if (!release || release.sequence >= turn.state.sequence || wasStable(turn, wanted)) return null
  return {
    rests: turn.state.stable ? 'running' : 'failed',
    code: 'E_SEQUENCE_OLDER',
    message: `Release ${release.version} has sequence ${release.sequence}, older than ${turn.state.sequence} which was stable here`,
    reject: true,
  }
}

function wasStable({ state }: Turn, wanted: Target): boolean {
  const earlier = [state.stable, ...(state.history ?? [])]
  return earlier.some((target) => target?.release === wanted.release)
}
