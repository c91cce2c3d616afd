import type { Digest } from '@landfall/stack'
import type { Limits } from '../limits.ts'
import { isCompute, liveCompute } from '../plan/compute.ts'
import { computeOf, type LoadedTarget, type Targets } from '../plan/targets.ts'
import type { Desired } from '../ports/desired.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { DeploymentState, WorkerState } from '../state/deployment-state.ts'
import { initialState } from '../state/initial-state.ts'
import { abandonPromoted } from './abandon.ts'
import { aim, aimInSetup } from './aim.ts'
import { conclude } from './conclude.ts'
import { deleteAll } from './delete-all.ts'
import { drive } from './drive.ts'
import { recordReturned } from './machine.ts'
import { observeResting } from './observe-resting.ts'
import type { Operation } from './operations.ts'
import { promote } from './promote.ts'
import { ensureResources, removeLeftovers } from './resources.ts'
import { setUp } from './setting-up.ts'
import { settle } from './settle.ts'
import { Turn } from './turn.ts'
import { watchWindow } from './watch-window.ts'
import { restored, withhold } from './withhold.ts'
import type { World } from './world.ts'

export interface Decision {
  state: DeploymentState
  events: readonly EngineEvent[]
  /** To be carried out now, at the same time; each is at most one durable mutation. */
  operations: readonly Operation[]
  /** When to decide again at the latest, if nothing is to be done before; null: not until something changes. */
  wakeAt: number | null
}

/**
 * What to do next for a deployment: pure, and the same answer for the same question, so that a runner that died is replaced
 * by one that asks again.
 */
export function decide(
  desired: Desired,
  before: DeploymentState | null,
  targets: Targets,
  world: World,
  limits: Limits,
  now: number,
): Decision {
  const turn = new Turn(before ?? initialState(now), desired, world, limits, now, targets)
  if (turn.state.generation !== desired.generation) turn.set({ generation: desired.generation })
  const revoked = desired.customer.access === 'revoked'
  if (!revoked && turn.state.parked?.probeAt === null) restored(turn, 'The customer has granted access again')
  if (revoked) withhold(turn)
  else if (turn.state.parked) probe(turn)
  else if (desired.operation === 'destroy') deleteAll(turn)
  else run(turn, targets)
  return { state: turn.state, events: turn.events, operations: turn.operations, wakeAt: turn.wakeAt }
}

/** Parked: one cheap probe at a slow interval, and nothing else. */
function probe(turn: Turn): void {
  const probeAt = turn.state.parked?.probeAt ?? 0
  if (probeAt > turn.now) turn.wake(probeAt)
  else turn.operate({ kind: 'probe' })
}

function run(turn: Turn, targets: Targets): void {
  if (turn.state.phase === 'deleting' || turn.state.phase === 'deleted') return
  const ready = setUp(turn, targets)
  // A first deployment waits for its setup; one that runs goes on with what it has while more is set up beside it.
  if (!ready && !turn.state.stable && !turn.state.candidate) return
  takeBack(turn)
  const hold = ready ? aim(turn, targets) : aimInSetup(turn)
  const stable = (turn.state.stable && targets.loaded.get(turn.state.stable.digest)) ?? null
  const candidate = (turn.state.candidate && targets.loaded.get(turn.state.candidate.digest)) ?? null
  if (turn.state.candidate) {
    update(turn, candidate, stable)
    if (turn.state.candidate) {
      conclude(turn, targets, hold, false)
      return
    }
  }
  const now = (turn.state.stable && targets.loaded.get(turn.state.stable.digest)) ?? null
  if (now) watchWindow(turn, now)
  conclude(turn, targets, hold, rest(turn, targets))
}

/** Inside the rollback window: promoted, and then aborted by a person, or set back to what ran before. */
function takeBack(turn: Turn): void {
  const { previous, stable, rejected } = turn.state
  if (!previous || !stable) return
  const aborted = rejected.find((entry) => entry.target === stable.digest)
  if (aborted) abandonPromoted(turn, { code: aborted.code, message: aborted.message, superseded: false })
  else if (turn.desired.target?.digest === previous.digest) {
    abandonPromoted(turn, {
      code: 'RETURN_ASKED',
      message: 'The target was set back to what ran before',
      superseded: true,
    })
  }
}

function update(turn: Turn, candidate: LoadedTarget | null, stable: LoadedTarget | null): void {
  if (!candidate) {
    turn.wake(turn.now + turn.limits.rolloutTickMs)
    return
  }
  const resources = ensureResources(turn, candidate)
  // Workers that the candidate does not change stay on what they have.
  for (const resource of liveCompute(candidate.release.manifest)) {
    const worker = turn.state.workers[resource.name]
    if (worker && !worker.candidate && worker.stable) settle(turn, resource, worker.stable, candidate, new Set())
  }
  if (resources && drive(turn, candidate, stable)) promote(turn, candidate)
}

/** Everything at rest on stable, or on the way back to it. Answers whether it has arrived. */
function rest(turn: Turn, targets: Targets): boolean {
  const stable = (turn.state.stable && targets.loaded.get(turn.state.stable.digest)) ?? null
  const previous = (turn.state.previous && targets.loaded.get(turn.state.previous.digest)) ?? null
  let all = true
  for (const [name, worker] of Object.entries(turn.state.workers)) {
    const recorded = turn.state.resources[name]?.spec
    if (recorded?.lifecycle === 'frozen') continue
    const resource =
      computeOf(stable, name) ?? computeOf(previous, name) ?? (recorded && isCompute(recorded) ? recorded : null)
    if (!resource) continue
    const belongs = stable === null || computeOf(stable, name) !== undefined || computeOf(previous, name) !== undefined
    const settled = settle(turn, resource, belongs ? worker.stable : null, stable, kept(worker))
    if (settled) finishReturn(turn, name)
    else all = false
  }
  if (stable) {
    if (!ensureResources(turn, stable)) all = false
    if (all && !removeLeftovers(turn, stable, previous ? [previous] : [])) all = false
    observeResting(turn, stable)
  }
  return all
}

function kept(worker: WorkerState): ReadonlySet<Digest> {
  return new Set(worker.previous ? [worker.previous] : [])
}

function finishReturn(turn: Turn, name: string): void {
  const rollout = turn.state.workers[name]?.rollout
  if (rollout?.phase === 'aborting') turn.worker(name, { rollout: recordReturned(rollout) })
}
