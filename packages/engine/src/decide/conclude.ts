import type { Targets } from '../plan/targets.ts'
import type { Condition, DeploymentPhase, DeploymentState } from '../state/deployment-state.ts'
import type { Hold } from './hold.ts'
import { isShare, weightOf } from './look.ts'
import type { Turn } from './turn.ts'

/** Says where the deployment stands: phase, reason, conditions. `rests`: everything has arrived on stable. */
export function conclude(turn: Turn, targets: Targets, hold: Hold | null, rests: boolean): void {
  const { state } = turn
  const name = (digest: string | undefined) => (digest && targets.loaded.get(digest)?.release.version) ?? 'the release'
  if (state.candidate) {
    const first = turn.waitsFor[0]
    become(turn, 'updating')
    turn.setReason(first?.code ?? 'UPDATING', first?.message ?? `Updating to ${name(state.candidate.digest)}`)
  } else if (rests || (state.phase !== 'updating' && state.phase !== 'returning') || isOnBadStable(turn, hold)) {
    settleDown(turn, hold, name(state.stable?.digest))
  } else if (turn.waitsFor[0]) {
    const verb = state.phase === 'returning' ? 'Going back' : 'Finishing'
    turn.setReason(state.reason.code, `${verb}: ${turn.waitsFor[0].message}`)
  }
  turn.set({ conditions: conditionsOf(turn.state, hold, turn.now) })
}

/**
 * Everything was done that leads back, and only stable itself is not well: something else is wanted by now, and waits for somebody who
 * would not be asked while it is said to go back.
 */
function isOnBadStable({ state, desired, world, operations, waitsFor }: Turn, hold: Hold | null): boolean {
  if (!hold || hold.passing || state.phase !== 'returning' || operations.length + waitsFor.length > 0) return false
  const wentBack = state.rejected.some(({ target }) => target === desired.target?.digest)
  if (wentBack || !state.stable) return false
  return Object.entries(state.workers).every(([name, { stable }]) => {
    const seen = world.compute.get(name)?.value
    return stable === null || (seen !== undefined && isShare(weightOf(seen, stable), 100))
  })
}

function settleDown(turn: Turn, hold: Hold | null, version: string): void {
  const broken = Object.values(turn.state.resources).find((resource) => resource.phase === 'failed')
  if (turn.state.phase === 'returning') {
    turn.emit('deployment.returned', turn.state.stable ? `All traffic is back on ${version}` : 'Nothing serves', {
      code: turn.state.reason.code,
      data: { target: turn.state.stable?.digest ?? null, served: servedOf(turn.state) },
    })
  }
  if (broken && turn.state.stable) {
    become(turn, 'failed')
    turn.setReason(broken.reason?.code ?? 'RESOURCE_FAILED', `${broken.name}: ${broken.reason?.message ?? 'failed'}`)
  } else if (hold) {
    become(turn, hold.rests)
    turn.setReason(hold.code, hold.message)
  } else {
    become(turn, 'running')
    if (turn.state.previous)
      turn.setReason('ROLLBACK_WINDOW', `Runs ${version}; watched until its rollback window is over`)
    else turn.setReason('RUNNING', `Runs ${version}`)
  }
}

function servedOf(state: DeploymentState): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries(Object.entries(state.workers).map(([name, worker]) => [name, worker.served]))
}

function become(turn: Turn, phase: DeploymentPhase): void {
  if (turn.state.phase === phase) return
  turn.emit('deployment.phase', `${turn.state.phase} → ${phase}`, { data: { from: turn.state.phase, to: phase } })
  turn.set({ phase })
}

/** One condition for each thing that is not as it should be, and one that says whether all is well. */
export function conditionsOf(state: DeploymentState, hold: Hold | null, now: number): readonly Condition[] {
  const found: Omit<Condition, 'since'>[] = []
  for (const resource of Object.values(state.resources)) {
    const bad = resource.phase === 'failed' || resource.phase === 'degraded'
    if (bad && resource.reason) {
      const { code, message } = resource.reason
      found.push({ type: `Healthy/${resource.name}`, status: 'false', code, message })
    }
    if (resource.drift.length > 0) {
      const message = resource.drift.slice(0, 5).join('; ')
      found.push({ type: `Drift/${resource.name}`, status: 'true', code: 'DRIFT', message })
    }
  }
  for (const [index, detail] of (hold?.details ?? []).entries()) {
    found.push({ type: `SetupNeeded/${index}`, status: 'true', code: hold?.code ?? 'NEEDS_SETUP', message: detail })
  }
  const unhealthy = found.filter((condition) => condition.type.startsWith('Healthy/'))
  found.unshift({
    type: 'Healthy',
    status: unhealthy.length > 0 ? 'false' : state.stable ? 'true' : 'unknown',
    code: unhealthy[0]?.code ?? (state.stable ? 'HEALTHY' : 'NOTHING_RUNS'),
    message: unhealthy[0]?.message ?? (state.stable ? 'All resources are well' : 'Nothing runs yet'),
  })
  return found.map((condition) => {
    const before = state.conditions.find((one) => one.type === condition.type)
    const same = before?.status === condition.status && before.code === condition.code
    return { ...condition, since: same ? before.since : now }
  })
}
