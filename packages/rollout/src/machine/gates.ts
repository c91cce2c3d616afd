import { beginAbort } from './abort.ts'
import type { Look } from './draft.ts'
import type { AnalysisSpec, GateSpec, Plan } from './types.ts'

export const isGate = (spec: GateSpec | AnalysisSpec): spec is GateSpec =>
  spec.kind !== 'compare' && spec.kind !== 'threshold'

/** A person or a calendar answers these, so nobody's "promote" replaces them and no deadline runs. */
export const needsPerson = (gate: GateSpec): boolean => gate.kind === 'approval' || gate.kind === 'window'

export function gatesOf(plan: Plan): GateSpec[] {
  return [
    ...plan.steps.flatMap((step) => step.gates),
    ...plan.prePromotion.filter(isGate),
    ...(plan.smoke ? [plan.smoke] : []),
  ]
}

/** Asks the gates; gives the first that does not hold yet. A failed one begins the abort. */
export function askGates(look: Look, gates: readonly GateSpec[]): GateSpec | null {
  let waiting: GateSpec | null = null
  for (const gate of gates) {
    const answer = look.seen.gates[gate.id]
    if (answer?.status === 'pass') continue
    if (answer?.status === 'fail') {
      beginAbort(look, 'gate-failed', `${name(gate)} did not pass${answer.message ? `: ${answer.message}` : ''}`, null)
      return gate
    }
    look.actions.push({ kind: 'open-gate', gate })
    waiting ??= gate
  }
  return waiting
}

/** Gates still waiting for an answer that is no longer of interest are closed. */
export function closeGates(look: Look): void {
  const open = new Set(look.actions.flatMap((action) => (action.kind === 'open-gate' ? [action.gate.id] : [])))
  for (const gate of gatesOf(look.plan))
    if (look.seen.gates[gate.id]?.status === 'wait' && !open.has(gate.id))
      look.actions.push({ kind: 'close-gate', gate })
}

const names: Readonly<Record<GateSpec['kind'], string>> = {
  approval: 'the approval',
  window: 'the maintenance window',
  webhook: 'the webhook',
  command: 'the check command',
  job: 'the check job',
  peers: 'the other workers',
}
export const name = (gate: GateSpec): string => names[gate.kind]
