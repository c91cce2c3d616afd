import type { Reason } from '@landfall/rollout'
import type { Desired } from '../ports/desired.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { words } from './words.ts'

/** Why a deployment is where it is: one screen's worth. */
export interface Explanation {
  /** Whether it rests on what it is wanted to run. */
  onTarget: boolean
  sentence: string
  /** What it waits for, most important first; each with a stable code and since when. */
  waitsFor: readonly Reason[]
  /** Since when it has been like this. Milliseconds since the epoch. */
  since: number
}

/**
 * The answer to "why is it not on the newest release?". Pure: from the state and the desired alone, so that the command line, the
 * pages and an agent without a connection say the same.
 */
export function explain(state: DeploymentState | null, desired: Desired, now: number): Explanation {
  if (!state || state.generation < desired.generation) {
    const reason = { code: 'NOT_SEEN', message: 'The newest change has not been picked up yet', since: now }
    const since = state?.reason.since ?? now
    return {
      onTarget: false,
      sentence: `${desired.deployment.name} has not looked at its newest target yet.`,
      waitsFor: [reason],
      since,
    }
  }
  const wanted = desired.target
  const onTarget = wanted !== null && state.stable?.digest === wanted.digest && state.candidate === null
  const waitsFor = onTarget && state.phase === 'running' ? troubles(state) : waits(state)
  const name = desired.deployment.name
  const ago = `${words(now - state.reason.since)}`
  return { onTarget, sentence: sentenceFor(name, state, desired, onTarget, ago), waitsFor, since: state.reason.since }
}

function sentenceFor(name: string, state: DeploymentState, desired: Desired, onTarget: boolean, ago: string): string {
  const why = stripped(state.reason.message)
  const rejected = desired.target && state.rejected.find((entry) => entry.target === desired.target?.digest)
  switch (state.phase) {
    case 'pending':
      return desired.target ? `${name} has not started: ${why} (for ${ago}).` : `${name} has no release yet.`
    case 'setting-up':
      return `${name} is being set up: ${why} (for ${ago}).`
    case 'needs-setup':
      return `${name} waits for the customer to apply a setup (for ${ago}): ${why}.`
    case 'updating':
      return state.candidate
        ? `${name} is on its way to the newest target (for ${ago}): ${why}.`
        : `${name} runs the newest target and is clearing up (for ${ago}): ${why}.`
    case 'returning':
      return `${name} is going back to what it ran before (for ${ago}): ${why}.`
    case 'failed':
      return `${name} needs a person (for ${ago}): ${why}.`
    case 'access-revoked':
      if (state.parked?.probeAt === null)
        return desired.operation === 'destroy'
          ? `${name} is to be taken away, which waits: its customer has revoked access (for ${ago}). It is done once access is granted again.`
          : `${name} is left alone: its customer has revoked access (for ${ago}). It goes on by itself once access is granted again.`
      return `${name} can't be reached: its environment refuses access (for ${ago}). It goes on by itself when access is given back.`
    case 'deleting':
      return `${name} is being taken away (for ${ago}): ${why}.`
    case 'deleted':
      return `${name} is gone.`
    case 'running':
      if (onTarget) return `${name} runs what it is wanted to run.`
      if (rejected)
        return `${name} stays on what it ran before (for ${ago}), because the newest target went back: ${why}.`
      return `${name} stays on what it runs (for ${ago}): ${why}.`
  }
}

function waits(state: DeploymentState): Reason[] {
  const workers: Reason[] = []
  for (const [worker, { candidate, rollout }] of Object.entries(state.workers)) {
    if (!candidate || !rollout) continue
    workers.push({ ...rollout.reason, message: `${worker} at ${rollout.served}%: ${rollout.reason.message}` })
  }
  // What one worker waits for is often the deployment's own reason too: said once, with the share.
  const own = workers.some(({ code }) => code === state.reason.code) ? [] : [state.reason]
  return unique([...own, ...workers, ...troubles(state)])
}

/** What is not as it should be, although nothing waits for it. */
function troubles(state: DeploymentState): Reason[] {
  const found: Reason[] = []
  for (const resource of Object.values(state.resources)) {
    if (resource.retry) {
      const { attempts, lastError } = resource.retry
      const message = `${resource.name}: ${lastError.message} (tried ${attempts} times)`
      found.push({ code: lastError.code, message, since: resource.reason?.since ?? state.reason.since })
    } else if (resource.reason && resource.phase !== 'ready') {
      found.push({ ...resource.reason, message: `${resource.name}: ${resource.reason.message}` })
    }
  }
  for (const { type, status, code, message, since } of state.conditions) {
    if (status !== 'true') continue
    if (type.startsWith('Drift/')) found.push({ code, message: `${type.slice('Drift/'.length)}: ${message}`, since })
    // The reason names the first ones already.
    if (type.startsWith('SetupNeeded/') && !state.reason.message.includes(message)) found.push({ code, message, since })
  }
  return unique(found)
}

function unique(reasons: readonly Reason[]): Reason[] {
  const seen = new Set<string>()
  return reasons.filter(({ code, message }) => {
    const key = `${code} ${message}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function stripped(message: string): string {
  return message.replace(/\.$/, '')
}
