import { describe, expect, it } from 'vitest'
import type { AnalysisMemory, Counters, Verdict } from '../machine/types.ts'
import { judge } from './judge.ts'
import { latencyBoundsMs } from './latency-bounds.ts'

const spec = { id: 'a', kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 } as const

/** Verdicts of looks 100 ms apart at 60 requests a second, from the second in which the candidate first serves. */
function verdicts(errorRate: number, seconds: number): Verdict[] {
  const counters = (requests: number, errors: number, through: number): Counters => {
    const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0)
    latency[3] = requests
    return { requests, errors, latency, restarts: 0, through }
  }
  let memory: AnalysisMemory | undefined
  return Array.from({ length: seconds * 10 }, (_, look) => {
    const now = 1_000_000 + look * 100
    const stable = counters(200 + look * 14, 0, now)
    const candidate = counters(look * 6, Math.floor(look * 6 * errorRate), now)
    const result = judge(spec, memory, { stable, candidate, alpha: 0.05, now, step: 0, released: look === 0 ? 0.5 : 0 })
    memory = result.memory
    return result.evidence.verdict
  })
}

describe('a bake of a second', () => {
  it('does not call a release good that plainly fails, although nothing is proved yet', () => {
    expect(verdicts(0.2, 2)).not.toContain('pass')
  })

  it('calls one good that answers as stable does', () => {
    expect(verdicts(0, 2).at(-1)).toBe('pass')
  })
})
