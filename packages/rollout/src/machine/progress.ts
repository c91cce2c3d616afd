import { split } from '../plan/capacity.ts'
import { words } from '../plan/duration.ts'
import { round } from './abort.ts'
import { decide, type Look, wait } from './draft.ts'
import { askGates, name, needsPerson } from './gates.ts'
import { describe, standing } from './measure.ts'
import { ask, isReached, servable } from './scale.ts'
import type { AnalysisSpec, Step } from './types.ts'

/** Enters a step, or goes to promotion after the last one. */
export function enter(look: Look, step: number): void {
  const { draft, plan, now } = look
  draft.reachedAt = null
  draft.healthySince = null
  draft.progressDeadlineAt = now + plan.progressDeadlineMs
  const skip = draft.stable === null || draft.full || step >= plan.steps.length
  if (skip) {
    draft.phase = 'promoting'
    draft.promotingAt = now
    return
  }
  draft.phase = 'progressing'
  draft.step = step
  decide(look, 'step-entered', `Step ${step + 1} of ${plan.steps.length}: ${plan.steps[step]?.share ?? 100}%`)
}

/** Brings the share about and holds it. True while it is really served in good health. */
export function hold(look: Look, goal: number, rise: boolean): boolean {
  const { draft, now, plan, seen } = look
  if (rise || goal <= draft.asked) ask(look, goal)
  else ask(look, draft.asked)
  const height = Math.max(draft.asked, seen.desired > 0 ? (100 * (seen.candidate?.available ?? 0)) / seen.desired : 0)
  if (height > draft.peak) {
    draft.peak = height
    draft.progressDeadlineAt = now + plan.progressDeadlineMs
  }
  if (!isReached(look, goal)) {
    draft.healthySince = null
    return false
  }
  if (draft.reachedAt === null) {
    draft.reachedAt = now
    if (goal > 0) decide(look, 'share-reached', `${round(goal)}% is really served by the candidate`)
  }
  draft.healthySince ??= now
  if (draft.progressDeadlineAt === null) draft.progressDeadlineAt = now + plan.progressDeadlineMs
  return true
}

/** Says what the share waits for. */
export function explainHold(look: Look, goal: number): void {
  const { seen, plan, draft } = look
  const need = split(plan, seen.desired, goal).candidate
  const available = seen.candidate?.available ?? 0
  if (available < need || seen.candidate === null)
    wait(
      look,
      'waiting-for-capacity',
      `Waiting for the candidate: ${available} of ${need} instances are healthy for ${round(goal)}%`,
    )
  else
    wait(
      look,
      'shifting-traffic',
      `Shifting traffic: ${round(seen.served)}% of ${round(draft.asked === goal ? goal : draft.asked)}% is served by the candidate`,
    )
}

/** One look at the current step. `rise` is false while a person holds it. */
export function driveStep(look: Look, step: Step, rise: boolean): void {
  const { draft } = look
  const goal = servable(look, step.share)
  const held = hold(look, goal, rise)
  const skipped = draft.passed.skip >= draft.step
  if (!held && !skipped) {
    explainHold(look, goal)
    return
  }
  const waiting = askGates(look, step.gates)
  if (draft.phase === 'aborting') return
  if (!rise) return
  if (!skipped && !baked(look, step, goal)) return
  if (waiting) {
    waitForGate(look, waiting)
    return
  }
  if (step.pause !== undefined && draft.passed.pause < draft.step && !paused(look, step)) return
  leave(look, step)
}

function leave(look: Look, step: Step): void {
  unpause(look)
  const more = look.draft.step + 1 < look.plan.steps.length && !look.draft.full
  decide(look, 'step-passed', `${round(step.share)}% held: goes on`)
  enter(look, look.draft.step + 1)
  wait(look, 'step-passed', more ? 'The next step begins' : 'All steps have passed')
}

export function unpause({ draft }: Look): void {
  if (draft.phase === 'paused') draft.phase = draft.pausedFrom ?? 'progressing'
  draft.pause = null
  draft.pausedFrom = null
}

function pauseFor(
  look: Look,
  kind: 'step' | 'gate' | 'no-data' | 'inconclusive',
  until: number | null,
  message: string,
): void {
  const { draft, now } = look
  if (draft.pause?.kind !== kind) {
    if (draft.phase !== 'paused') draft.pausedFrom = draft.phase === 'promoting' ? 'promoting' : 'progressing'
    draft.phase = 'paused'
    draft.pause = { kind, since: now, until }
    decide(look, `paused-${kind}`, message)
  }
  wait(look, `paused-${kind}`, message)
}

export function waitForGate(look: Look, gate: { kind: Step['gates'][number]['kind']; id: string }): void {
  const answer = look.seen.gates[gate.id]?.message
  const message = `Waiting for ${name(gate)}${answer ? `: ${answer}` : ''}`
  if (needsPerson(gate)) {
    pauseFor(look, 'gate', null, message)
    return
  }
  unpause(look)
  wait(look, `waiting-for-${gate.kind}`, message)
}

function paused(look: Look, step: Step): boolean {
  const { draft, now } = look
  const since = draft.pause?.kind === 'step' ? draft.pause.since : now
  const until = step.pause === 'until-resumed' || step.pause === undefined ? null : since + step.pause
  if (until !== null && now >= until) {
    draft.passed = { ...draft.passed, pause: draft.step }
    return true
  }
  const message =
    until === null
      ? `Paused at ${round(step.share)}% until a person resumes`
      : `Paused at ${round(step.share)}%: ${words(now - since)} of ${words(until - since)}`
  if (until !== null) look.wakes.push(until)
  pauseFor(look, 'step', until, message)
  return false
}

/** The bake: long enough in good health, and the analyses answered for all of it. */
function baked(look: Look, step: Step, goal: number): boolean {
  const { draft, plan, now } = look
  const since = draft.healthySince ?? now
  const specs = [...plan.analysis, ...(step.analysis ?? [])]
  const until = since + step.bakeMs
  const text = `Baking at ${round(goal)}%: ${words(Math.min(now - since, step.bakeMs))} of ${words(step.bakeMs)}${requests(look, specs)}`
  if (now < until) {
    if (draft.phase === 'paused' && draft.pause?.kind !== 'person') unpause(look)
    look.wakes.push(until)
    wait(look, 'baking', text)
    return false
  }
  if (goal === 0) return true
  return measured(look, specs, { since, until, passed: draft.passed.data >= draft.step, text })
}

interface Bake {
  since: number
  until: number
  /** A person accepted what is known. */
  passed: boolean
  text: string
}

/** Whether the analyses let it go on: no data is not success, up to `maxBake`, and then the plan's policy decides. */
export function measured(look: Look, specs: readonly AnalysisSpec[], bake: Bake): boolean {
  const { draft, plan, seen, now } = look
  if (specs.length === 0 || bake.passed || draft.full) return true
  const { verdict, evidence } = standing(look, specs)
  const counted = specs.some((spec) => spec.metric !== 'restarts')
  const through = Math.min(seen.candidate?.counters?.through ?? bake.since, now)
  const late = counted && verdict !== 'no-data' && through < bake.until
  if (verdict === 'pass' && !late) return true
  const end = Math.max(bake.until, bake.since + plan.maxBakeMs)
  const suspect = evidence?.suspicion !== undefined && (evidence.seen?.requests ?? 0) >= (evidence.seen?.needed ?? 0)
  if (now < end) {
    if (draft.phase === 'paused' && draft.pause?.kind !== 'person') unpause(look)
    look.wakes.push(end)
    if (late) wait(look, 'waiting-for-measurements', `${bake.text}; measurements arrive ${words(now - through)} late`)
    else if (suspect && evidence)
      wait(look, 'looks-worse', `Bakes on: not proved, but looks worse. ${describe(evidence)}`)
    else
      wait(
        look,
        'waiting-for-data',
        `${bake.text}; bakes on until there is enough data, at most ${words(end - bake.since)}`,
      )
    return false
  }
  if (suspect && specs.every((spec) => isGoodEnough(look, spec))) return true
  if (suspect && evidence && evidence.suspicion === 'strong') {
    pauseFor(
      look,
      'inconclusive',
      null,
      `Paused for a person: looks worse, not proved after ${words(end - bake.since)}. ${describe(evidence)}`,
    )
    return false
  }
  if (plan.onNoData === 'hold') {
    pauseFor(
      look,
      'no-data',
      null,
      `Paused for a person: too little data after ${words(end - bake.since)}${requests(look, specs)}`,
    )
    return false
  }
  const smoke = plan.smoke ? askGates(look, [plan.smoke]) : null
  if (draft.phase === 'aborting') return false
  if (smoke) {
    wait(look, 'waiting-for-smoke', 'Too little data: the smoke command decides, beside health')
    return false
  }
  decide(
    look,
    'promoted-on-health',
    `Too little data after ${words(end - bake.since)}: goes on because it is healthy${plan.smoke ? ' and the smoke command passed' : ''}, as the plan says`,
  )
  return true
}

/** After `maxBake`: enough data, and at most a weak suspicion. */
function isGoodEnough({ draft }: Look, spec: AnalysisSpec): boolean {
  const evidence = draft.evidence.find((each) => each.analysis === spec.id)
  if (evidence?.verdict === 'pass') return true
  const enough = (evidence?.seen?.requests ?? 0) >= (evidence?.seen?.needed ?? 0)
  return evidence?.suspicion === 'weak' && enough
}

function requests(look: Look, specs: readonly AnalysisSpec[]): string {
  const known = look.draft.evidence.filter(
    (each) => each.seen && each.metric !== 'restarts' && specs.some((spec) => spec.id === each.analysis),
  )
  const least = known.sort(
    (a, b) => (a.seen?.requests ?? 0) / (a.seen?.needed || 1) - (b.seen?.requests ?? 0) / (b.seen?.needed || 1),
  )[0]
  return least?.seen ? `, ${least.seen.requests} of ${least.seen.needed} requests seen` : ''
}
