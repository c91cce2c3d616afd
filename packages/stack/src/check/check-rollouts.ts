import type { Problem } from '../errors/landfall-error.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { durationMs } from '../manifest/names.ts'
import type { Gate, RolloutPlan } from '../manifest/rollout-plan.ts'
import type { Types } from './check-manifest.ts'
import { computeOf } from './compute-of.ts'

export function checkRollouts(manifest: Manifest, types: Types): Problem[] {
  return computeOf(manifest).flatMap((compute) => {
    const { rollout } = compute
    if (!rollout) return []
    const path = `resources.${compute.name}.rollout`
    const problems = [
      ...checkSteps(rollout, `${path}.steps`),
      ...checkPromotion(rollout, path),
      ...gatesOf(rollout).flatMap(([at, gate]) =>
        checkGate(gate, `${path}.${at}`, new Set(Object.keys(compute.commands)), types),
      ),
    ]
    if (compute.lifecycle === 'frozen') {
      problems.push({
        path,
        message: 'is on a frozen resource, which releases never update: remove it, or make it live',
      })
    }
    return problems
  })
}

function checkSteps(plan: RolloutPlan, path: string): Problem[] {
  const problems: Problem[] = []
  if (plan.strategy === 'canary' && plan.steps.length === 0) {
    problems.push({ path, message: 'is empty: give a canary at least one step, or use allAtOnce()' })
  }
  let before = 0
  for (const [i, step] of plan.steps.entries()) {
    if (step.share <= before) {
      problems.push({ path: `${path}[${i}].share`, message: `must be above the ${before}% of the step before` })
    }
    before = Math.max(before, step.share)
    if (durationMs(step.bake) > durationMs(plan.maxBake)) {
      problems.push({ path: `${path}[${i}].bake`, message: `is longer than maxBake (${plan.maxBake}): raise maxBake` })
    }
  }
  return problems
}

function checkPromotion(plan: RolloutPlan, path: string): Problem[] {
  const problems: Problem[] = []
  if (plan.postPromotion.length > 0 && durationMs(plan.rollbackWindow) === 0) {
    const message = 'is watched for the rollbackWindow, which is 0s: set rollbackWindow'
    problems.push({ path: `${path}.postPromotion`, message })
  }
  const steps = [...plan.analysis, ...plan.steps.flatMap((step) => step.gates)]
  const measured = steps.some((gate) => gate.kind === 'compare' || (gate.kind === 'threshold' && gate.minSample > 0))
  if (measured && plan.strategy !== 'all-at-once' && plan.steps.every((step) => durationMs(step.bake) === 0)) {
    problems.push({ path: `${path}.steps`, message: 'never bake, so nothing could be measured: give a step a bake' })
  }
  return problems
}

function gatesOf(plan: RolloutPlan): [path: string, gate: Gate][] {
  return [
    ...plan.analysis.map((gate, i): [string, Gate] => [`analysis[${i}]`, gate]),
    ...plan.steps.flatMap((step, i) => step.gates.map((gate, j): [string, Gate] => [`steps[${i}].gates[${j}]`, gate])),
    ...plan.prePromotion.map((gate, i): [string, Gate] => [`prePromotion[${i}]`, gate]),
    ...plan.postPromotion.map((gate, i): [string, Gate] => [`postPromotion[${i}]`, gate]),
    ...(plan.smoke ? [['smoke', plan.smoke] satisfies [string, Gate]] : []),
  ]
}

function checkGate(gate: Gate, path: string, commands: ReadonlySet<string>, types: Types): Problem[] {
  const rate = gate.kind === 'compare' ? gate.worseBy : gate.kind === 'threshold' ? gate.max : 0
  if ((gate.kind === 'compare' || gate.kind === 'threshold') && gate.metric === 'error-rate' && rate > 1) {
    return [{ path, message: 'is a rate, from 0 to 1: write 1% as 0.01' }]
  }
  if (gate.kind === 'command' && !commands.has(gate.command)) {
    return [
      { path, message: `calls the command "${gate.command}", which this resource does not have: add it to commands` },
    ]
  }
  if (gate.kind === 'job' && types.get(gate.worker) !== 'worker') {
    return [{ path, message: `runs "${gate.worker}", which is not a worker of the stack: add it to resources` }]
  }
  return []
}
