import type { GateAnswer, GateSpec, Observation, Plan } from '@landfall/rollout'
import type { Digest } from '@landfall/stack'
import { answerFor } from '../consent/answer-for.ts'
import type { ComputeObservation } from '../ports/platform.ts'
import { servedBy } from './look.ts'
import type { Turn } from './turn.ts'

/** What the machine of one worker is shown. */
export function observationFor(
  turn: Turn,
  name: string,
  roles: { stable: Digest | null; candidate: Digest },
  seen: ComputeObservation,
  desired: number,
  plan: Plan,
): Observation {
  return {
    stable: (roles.stable ? seen.versions[roles.stable] : undefined) ?? null,
    candidate: seen.versions[roles.candidate] ?? null,
    served: servedBy(seen, roles.candidate),
    desired,
    gates: gateAnswers(turn, name, plan),
    controls: turn.desired.controls.filter(
      (control) =>
        control.kind !== 'retry' && control.kind !== 'abort' && !turn.state.seenControls.includes(control.id),
    ),
  }
}

/**
 * Answers known now: of people to an approval, of what was asked to any other. A window that is open, or that the deployment does not have, passes; one that closed on the way passes
 * too: `finish` goes on, and `abort` has taken the rollout back before this is asked. So it never holds a split.
 */
function gateAnswers(turn: Turn, worker: string, plan: Plan): Record<string, GateAnswer> {
  const answers: Record<string, GateAnswer> = {}
  const rollout = turn.state.workers[worker]?.rollout?.id
  const target = turn.state.candidate?.digest
  for (const gate of gatesOf(plan)) {
    const answer =
      gate.kind === 'approval'
        ? target && answerFor(turn, [`${worker}/${gate.id}`, gate.id], target)
        : turn.world.answers.get(`${rollout}/${gate.id}`)?.answer
    if (gate.kind === 'window') answers[gate.id] = { status: 'pass' }
    else if (answer) answers[gate.id] = answer
  }
  return answers
}

function gatesOf(plan: Plan): GateSpec[] {
  const before = plan.prePromotion.filter(
    (gate): gate is GateSpec => gate.kind !== 'compare' && gate.kind !== 'threshold',
  )
  return [...plan.steps.flatMap((step) => step.gates), ...before, ...(plan.smoke ? [plan.smoke] : [])]
}
