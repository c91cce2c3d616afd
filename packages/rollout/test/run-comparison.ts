import { releasedAt } from '../src/machine/measure.ts'
import type { AnalysisMemory, AnalysisSpec, Evidence } from '../src/machine/types.ts'
import { judge } from '../src/statistics/judge.ts'
import { looks, type Schedule, type Traffic } from './streams.ts'

export interface Outcome {
  failed: boolean
  /** Candidate's requests and looks until the failure, or in all. */
  requests: number
  looks: number
  last: Evidence | null
}

/** One analysis over one simulated rollout, looked at every time; ends at its first failure. */
export function runComparison(
  spec: AnalysisSpec,
  alpha: number,
  traffic: Traffic,
  schedule: Schedule,
  seed: number,
): Outcome {
  let memory: AnalysisMemory | undefined
  let last: Evidence | null = null
  let count = 0
  for (const look of looks(traffic, schedule, seed)) {
    count += 1
    const released = releasedAt(schedule.shares.length, look.step)
    const judged = judge(spec, memory, {
      stable: look.stable,
      candidate: look.candidate,
      alpha,
      now: look.at,
      step: look.step,
      released,
    })
    memory = judged.memory
    last = judged.evidence
    if (last.verdict === 'fail') return { failed: true, requests: look.candidate.requests, looks: count, last }
  }
  return { failed: false, requests: last?.sample.candidate ?? 0, looks: count, last }
}
