import type { AnalysisSpec, GateSpec, Plan, Step } from '../machine/types.ts'
import { attainable, budget, sideBySide } from './capacity.ts'
import { durationMs } from './duration.ts'
import type { AnalysisInput, GateInput, PlanInput, StepInput } from './plan-input.ts'

export interface CompileOptions {
  /** Workers that roll out together: the error budget is divided over them, and each waits for the others before it promotes. */
  workers: number
  routing: 'weighted' | 'replicas'
  /** Instances wanted at 100%; shares by replica ratio are computed for it. */
  instances: number
}

/** Gate ids: where it stands in the plan, its position, its kind. Stable for the same plan, so that answers find it. */
const gateId = (place: string, index: number, kind: string) => `${place}.${index}.${kind}`

function analysisSpec(place: string, index: number, input: AnalysisInput): AnalysisSpec {
  const id = gateId(place, index, input.metric)
  return input.kind === 'compare'
    ? { id, kind: 'compare', metric: input.metric, worseBy: input.worseBy, minSample: input.minSample ?? 50 }
    : { id, kind: 'threshold', metric: input.metric, max: input.max, minSample: input.minSample ?? 20 }
}

const isAnalysis = (input: GateInput): input is AnalysisInput => input.kind === 'compare' || input.kind === 'threshold'

function gateSpecs(place: string, inputs: readonly GateInput[]): (GateSpec | AnalysisSpec)[] {
  return inputs.map((input, index) =>
    isAnalysis(input) ? analysisSpec(place, index, input) : { id: gateId(place, index, input.kind), kind: input.kind },
  )
}

const analysesOf = (specs: readonly (GateSpec | AnalysisSpec)[]): AnalysisSpec[] =>
  specs.filter((spec): spec is AnalysisSpec => spec.kind === 'compare' || spec.kind === 'threshold')
const gatesOf = (specs: readonly (GateSpec | AnalysisSpec)[]): GateSpec[] =>
  specs.filter((spec): spec is GateSpec => spec.kind !== 'compare' && spec.kind !== 'threshold')

function step(place: string, input: StepInput): Step {
  const specs = gateSpecs(place, input.gates ?? [])
  const analysis = analysesOf(specs)
  return {
    share: input.share,
    bakeMs: durationMs(input.bake ?? '0s'),
    gates: gatesOf(specs),
    ...(analysis.length > 0 ? { analysis } : {}),
    ...(input.pause === undefined
      ? {}
      : { pause: input.pause === 'until-resumed' ? ('until-resumed' as const) : durationMs(input.pause) }),
  }
}

/**
 * The plan as the machine reads it: durations in milliseconds, ids for gates and analyses, defaults filled in, the error
 * budget divided over the workers. Blue-green becomes a first step of 0% in which the whole candidate runs unseen, holding
 * the pre-promotion gates. `notes` says what differs from what was written.
 */
export function compilePlan(input: PlanInput, options: CompileOptions): Plan {
  const blueGreen = input.strategy === 'blue-green'
  const before = gateSpecs('pre-promotion', input.prePromotion ?? [])
  const steps = input.steps.map((each, index) => step(`step-${index}`, each))
  const preview: Step = { share: 0, bakeMs: 0, gates: gatesOf(before) }
  const peers: GateSpec[] = options.workers > 1 ? [{ id: 'peers', kind: 'peers' }] : []
  const base: Plan = {
    strategy: input.strategy,
    steps: blueGreen ? [preview, ...steps] : steps,
    analysis: (input.analysis ?? []).map((each, index) => analysisSpec('analysis', index, each)),
    prePromotion: [...(blueGreen ? analysesOf(before) : before), ...peers],
    postPromotion: (input.postPromotion ?? []).map((each, index) => analysisSpec('post-promotion', index, each)),
    rollbackWindowMs: durationMs(input.rollbackWindow ?? '0s'),
    alpha: (input.alpha ?? 0.05) / Math.max(1, options.workers),
    maxBakeMs: durationMs(input.maxBake ?? '30m'),
    onNoData: input.onNoData ?? 'hold',
    progressDeadlineMs: durationMs(input.progressDeadline ?? '10m'),
    maxSurge: blueGreen ? '100%' : allowance(input.maxSurge ?? '100%'),
    maxUnavailable: allowance(input.maxUnavailable ?? '0%'),
    abortKeepMs: durationMs(input.abortKeep ?? '0s'),
    routing: options.routing,
    ...(input.smoke ? { smoke: { id: 'smoke', kind: 'command' as const } } : {}),
  }
  return withNotes(base, options.instances)
}

function allowance(value: number | string): number | `${number}%` {
  return typeof value === 'number' ? value : `${Number.parseFloat(value)}%`
}

function withNotes(plan: Plan, instances: number): Plan {
  const notes: string[] = []
  if (plan.strategy === 'blue-green')
    notes.push('Blue-green runs both versions whole: twice the instances until it ends.')
  if (!sideBySide(plan, instances) && instances > 0)
    notes.push(
      'With one instance and no surge the versions cannot run side by side: the change is made at once, with a short outage.',
    )
  const steps = plan.steps.map((each, index): Step => {
    const share = attainable(plan, instances, each.share)
    if (Math.abs(share - each.share) < 0.005) return each
    notes.push(
      `Step ${index + 1} serves ${share}% instead of ${each.share}%: only whole instances can be shared out here.`,
    )
    return { ...each, share, wanted: each.share }
  })
  const kept = Math.min(instances, budget(plan, instances).surge)
  if (kept < instances && plan.strategy !== 'blue-green')
    notes.push(
      `At 100% the old version keeps ${kept} of ${instances} instances until the switch is confirmed, because of maxSurge; with maxSurge 100% it stays whole, and a return is at full strength at once.`,
    )
  return notes.length > 0 ? { ...plan, steps, notes } : { ...plan, steps }
}

/** Analyses of a plan, each once: the error budget is divided over them. */
export function allAnalyses(plan: Plan): readonly AnalysisSpec[] {
  const stepwise = plan.steps.flatMap((each) => each.analysis ?? [])
  return [...plan.analysis, ...stepwise, ...analysesOf(plan.prePromotion), ...plan.postPromotion]
}

/** False-fail probability that one analysis may use over the whole rollout: its test runs through all steps, so steps cost nothing more. */
export function alphaEach(plan: Plan): number {
  return plan.alpha / Math.max(1, allAnalyses(plan).length)
}

/** The gate as it stands in the manifest, by the id that `compilePlan` gave it; undefined for `peers` and unknown ids. */
export function findGate<G extends GateInput>(
  input: {
    steps: readonly { gates?: readonly G[] | undefined }[]
    prePromotion?: readonly G[] | undefined
    smoke?: G | undefined
  },
  id: string,
): G | undefined {
  if (id === 'smoke') return input.smoke
  const [place, index] = id.split('.')
  const list = place === 'pre-promotion' ? input.prePromotion : input.steps[Number(place?.replace('step-', ''))]?.gates
  return list?.[Number(index)]
}
