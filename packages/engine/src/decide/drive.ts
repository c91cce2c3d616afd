import type { Action, Control, Observation, Plan, RolloutState } from '@landfall/rollout'
import type { ComputeResource, Digest } from '@landfall/stack'
import { dependenciesOf } from '@landfall/stack'
import { computeOf, type LoadedTarget } from '../plan/targets.ts'
import type { ComputeObservation } from '../ports/platform.ts'
import { sameJson } from '../state/same-json.ts'
import { abandon } from './abandon.ts'
import { seen as markSeen, reject } from './aim.ts'
import { isShare, look, routedTo, weightOf } from './look.ts'
import { advanceWith, compileFor, isFailing } from './machine.ts'
import { narrate } from './narrate.ts'
import { observationFor } from './observation.ts'
import { isLeaving, removeOthers } from './settle.ts'
import type { Turn } from './turn.ts'

interface Rolling {
  name: string
  resource: ComputeResource
  stable: Digest | null
  candidate: Digest
  rollout: RolloutState
  plan: Plan
  seen: ComputeObservation
  observation: Observation
}

/**
 * Advances the machines of all workers that change, together. Answers whether all of them are complete.
 *
 * None is promoted before all have passed, in two halves. A worker that has passed its own gates stays at the share of its
 * last step until every other has passed its gates too: its machine's answer is simply not taken yet. And none becomes
 * stable before all serve 100%: the machines are pure, so each is advanced once with `peers` waiting and once with `peers`
 * passed, and the second is taken when every worker would then be promoted.
 */
export function drive(turn: Turn, candidate: LoadedTarget, stable: LoadedTarget | null): boolean {
  const names = Object.entries(turn.state.workers)
    .filter(([, worker]) => worker.candidate !== null && worker.rollout)
    .map(([name]) => name)
    .sort()
  const rolling = names.map((name) => prepare(turn, name, candidate, names.length)).filter((one) => one !== null)
  const waiting = rolling.map((one) => step(one, 'wait', turn.now))
  const passed = rolling.map((one) => step(one, 'pass', turn.now))
  const complete = rolling.length === names.length
  const all = complete && passed.every(({ state }) => state.promoted || state.phase === 'complete')
  const allCleared = complete && waiting.every(({ state }) => isCleared(state))
  const next = all ? passed : waiting
  // A first version has no share to stay at, and others may need it to become healthy.
  const isHeld = (one: Rolling, state: RolloutState) =>
    one.stable !== null && !allCleared && isCleared(state) && !isCleared(one.rollout)

  let failed: { one: Rolling; state: RolloutState } | null = null
  rolling.forEach((one, index) => {
    const result = next[index]
    if (!result || isHeld(one, result.state)) return
    narrate(turn, one.name, one.rollout, result.state)
    if (!sameJson(result.state, one.rollout)) turn.worker(one.name, { rollout: result.state })
    if (isFailing(result.state)) failed ??= { one, state: result.state }
  })
  if (failed) {
    fail(turn, candidate, failed)
    return false
  }
  rolling.forEach((one, index) => {
    const result = next[index]
    if (!result) return
    if (isHeld(one, result.state)) {
      turn.waitsFor.push({ code: 'WAITS_FOR_PEERS', message: `${one.name} has passed; it waits for the other workers` })
      turn.wake(turn.now + turn.limits.rolloutTickMs)
    } else carryOut(turn, one, result.state, result.actions, candidate, stable)
  })
  if (complete) markSeen(turn, ...controlsGiven(rolling))
  return complete && next.every((result) => result.state.phase === 'complete')
}

function step(one: Rolling, peers: 'wait' | 'pass', now: number) {
  return advanceWith(one.plan, one.rollout, one.observation, { status: peers, message: 'the other workers' }, now)
}

/** All gates before promotion have passed, or are behind it. */
function isCleared(state: RolloutState): boolean {
  return state.cleared || state.phase === 'complete'
}

function controlsGiven(rolling: readonly Rolling[]): string[] {
  return rolling.flatMap((one) => one.observation.controls.map((control: Control) => control.id))
}

function prepare(turn: Turn, name: string, candidate: LoadedTarget, workers: number): Rolling | null {
  const worker = turn.state.workers[name]
  const resource = computeOf(candidate, name)
  if (!worker?.candidate || !worker.rollout || !resource) return null
  const missing = unreadyDependency(turn, resource, candidate)
  if (missing && !worker.stable) {
    turn.waitsFor.push({ code: 'WAITS_FOR_DEPENDENCY', message: `${name} waits for ${missing}` })
    turn.wake(turn.now + turn.limits.rolloutTickMs)
    return null
  }
  const seen = look(turn, resource, candidate.target, turn.limits.rolloutTickMs)
  if (!seen) return null
  const roles = { stable: worker.stable, candidate: worker.candidate }
  const stray = routedTo(seen).some((id) => id !== roles.stable && id !== roles.candidate)
  // What an earlier candidate served goes back to stable at once, before the new one gets its first share.
  if (stray) {
    const shares = roles.stable ? { [roles.stable]: 100 } : {}
    turn.operate({ kind: 'route', resource, target: candidate.target, shares })
    return null
  }
  // Nor do its triggers stay with what was promoted and then given up: that could never be removed.
  if (seen.triggers !== null && seen.triggers !== roles.stable && seen.triggers !== roles.candidate) {
    turn.operate({ kind: 'triggers', resource, target: candidate.target, version: roles.stable })
    return null
  }
  removeOthers(turn, resource, roles.stable, candidate, seen, new Set([roles.candidate]))
  // What was made may be missing in a look that shows an older picture: it counts until its removal is done.
  const unseen = Object.entries(worker.versions ?? {}).filter(
    ([id, { keepUntil = 0 }]) => seen.versions[id] === undefined && keepUntil <= turn.now,
  )
  const there = Object.entries(seen.versions).filter(([, { total }]) => total > 0)
  const crowd = [...there, ...unseen].some(
    ([id]) => id !== roles.stable && id !== roles.candidate && !isLeaving(turn, name, id),
  )
  // Three versions at once would be more than the surge allows: the earlier candidate goes first.
  if (crowd) {
    turn.waitsFor.push({ code: 'WAITS_FOR_ROOM', message: `${name} waits until an earlier candidate is gone` })
    turn.wake(turn.now + turn.limits.rolloutTickMs)
    return null
  }
  const plan = compileFor(turn, candidate, name, workers)
  const observation = observationFor(turn, name, roles, seen, resource.scale, plan)
  return { name, resource, ...roles, rollout: worker.rollout, plan, seen, observation }
}

/** A worker's first version starts after the workers that it calls exist. */
function unreadyDependency(turn: Turn, resource: ComputeResource, candidate: LoadedTarget): string | null {
  for (const name of dependenciesOf(resource)) {
    if (!computeOf(candidate, name)) continue
    const phase = turn.state.resources[name]?.phase
    if (phase === undefined || phase === 'pending' || phase === 'creating') return name
  }
  return null
}

function carryOut(
  turn: Turn,
  one: Rolling,
  state: RolloutState,
  actions: readonly Action[],
  candidate: LoadedTarget,
  stable: LoadedTarget | null,
): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'scale':
        scale(turn, one, action, candidate, stable)
        break
      case 'route': {
        const shares = sharesFor(one, action.share)
        const differs = Object.entries(shares).some(([id, share]) => !isShare(weightOf(one.seen, id), share))
        if (differs) turn.operate({ kind: 'route', resource: one.resource, target: candidate.target, shares })
        break
      }
      case 'open-gate': {
        if (action.gate.kind === 'webhook' || action.gate.kind === 'command' || action.gate.kind === 'job') {
          ask(turn, one, state, action.gate)
        }
        break
      }
      case 'wake':
        turn.wake(Math.max(action.at, turn.now + 1))
        break
      // Pointers move, and old versions go, only once all workers have passed: `settle` does both.
      case 'promote':
      case 'demote':
      case 'retire':
      case 'close-gate':
        break
    }
  }
  turn.waitsFor.push({ code: state.reason.code, message: `${one.name}: ${state.reason.message}` })
}

function ask(
  turn: Turn,
  one: Rolling,
  state: RolloutState,
  gate: Extract<Action, { kind: 'open-gate' }>['gate'],
): void {
  const answered = turn.world.answers.get(`${state.id}/${gate.id}`)
  if (answered && (answered.answer.status !== 'wait' || turn.now - answered.at < turn.limits.rolloutTickMs)) return
  turn.operate({ kind: 'ask-gate', resource: one.resource, gate, rollout: state.id, version: one.candidate })
}

function sharesFor(one: Rolling, share: number): Record<Digest, number> {
  if (!one.stable || share >= 100) return share > 0 ? { [one.candidate]: 100 } : {}
  return share <= 0 ? { [one.stable]: 100 } : { [one.stable]: 100 - share, [one.candidate]: share }
}

function scale(
  turn: Turn,
  one: Rolling,
  action: Extract<Action, { kind: 'scale' }>,
  candidate: LoadedTarget,
  stable: LoadedTarget | null,
): void {
  const version = action.version === 'candidate' ? one.candidate : one.stable
  const target = action.version === 'candidate' ? candidate : stable
  const resource = computeOf(target, one.name)
  if (!version || !target || !resource) return
  const own = one.seen.versions[version]
  if (own && own.desired === action.instances && (own.total > 0 || action.instances === 0)) return
  turn.operate({ kind: 'version', resource, target: target.target, version, instances: action.instances })
}

function fail(turn: Turn, candidate: LoadedTarget, failed: { one: Rolling; state: RolloutState }): void {
  const { one, state } = failed
  const aborted = state.aborted
  const code = aborted?.code ?? state.reason.code
  const message = `${one.name}: ${aborted?.message ?? state.reason.message}`
  reject(turn, candidate.target, code, message)
  turn.emit('rollout.aborted', message, {
    code,
    resource: one.name,
    data: {
      rollout: state.id,
      release: candidate.release.version,
      step: aborted?.step ?? state.step,
      share: one.observation.served,
      evidence: aborted?.evidence ?? null,
      candidate: { version: one.candidate, counters: one.observation.candidate?.counters ?? null },
      stable: { version: one.stable, counters: one.observation.stable?.counters ?? null },
    },
  })
  abandon(turn, { code, message, superseded: false })
}
