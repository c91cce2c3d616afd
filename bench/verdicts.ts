/**
 * How often a release without any fault is aborted, and how soon a bad one is found: the sequential test of
 * `packages/rollout` beside a Mann-Whitney test repeated each interval and a fixed threshold, on the same simulated streams.
 *
 *   node bench/verdicts.ts [rollouts per row, default 10000]
 *
 * Prints a table and, as the last line, the same as JSON. Seeded: two runs print the same.
 */
import { runComparison } from '../packages/rollout/test/run-comparison.ts'
import { harms, noDifference, oneStep, threeSteps } from '../packages/rollout/test/scenarios.ts'
import { report } from './shared/report.ts'
import { fixedThreshold, mannWhitney, type Stopped } from './verdicts/rivals.ts'

const rollouts = Math.max(10, Number(process.argv[2] ?? 10_000))
const alpha = 0.05

type Judge = (seed: number) => Stopped
const seeds = Array.from({ length: rollouts }, (_, index) => 1 + 7919 * index)
const percent = (part: number) => `${(100 * part).toFixed(1)}%`

function aborted(judge: Judge): number {
  return seeds.filter((seed) => judge(seed).failed).length / rollouts
}

function delay(judge: Judge): { found: number; half: number | null; most: number | null } {
  const found = seeds.map(judge)
  const requests = found.map((each) => (each.failed ? each.requests : Number.POSITIVE_INFINITY)).sort((a, b) => a - b)
  const at = (q: number) => {
    const value = requests[Math.floor(q * rollouts)] ?? Number.POSITIVE_INFINITY
    return Number.isFinite(value) ? value : null
  }
  return { found: found.filter((each) => each.failed).length / rollouts, half: at(0.5), most: at(0.9) }
}

function printRow(cells: readonly (string | number | null)[], widths: readonly number[]): void {
  console.log(cells.map((cell, index) => String(cell ?? '-').padEnd(widths[index] ?? 12)).join(' '))
}

/** The kindest case for Mann-Whitney: a baseline as large as the candidate, as Kayenta recommends. */
const equalArms = { ...threeSteps, shares: [50, 50, 50] }

const nulls = noDifference.map((traffic) => {
  const judged = (seed: number): Stopped =>
    runComparison(
      { id: 'errors', kind: 'compare', metric: 'error-rate', worseBy: 0.005, minSample: 50 },
      alpha,
      traffic,
      threeSteps,
      seed,
    )
  const bare = (seed: number): Stopped =>
    runComparison(
      { id: 'errors', kind: 'compare', metric: 'error-rate', worseBy: 0, minSample: 50 },
      alpha,
      traffic,
      threeSteps,
      seed,
    )
  return {
    scenario: traffic.name,
    landfall: aborted(judged),
    withoutMinimumEffect: aborted(bare),
    mannWhitney: aborted((seed) => mannWhitney('error-rate', traffic, threeSteps, seed)),
    mannWhitneyEqual: aborted((seed) => mannWhitney('error-rate', traffic, equalArms, seed)),
    threshold: aborted((seed) => fixedThreshold(traffic.errors + 0.01, 'error-rate', traffic, threeSteps, seed)),
  }
})

console.log(
  `False aborts of ${rollouts} rollouts without any difference; three steps, 180 looks, alpha ${percent(alpha)}\n`,
)
const wide = [38, 10, 18, 14, 16, 16]
printRow(
  ['traffic', 'landfall', 'no minimum effect', 'mann-whitney', 'with equal arms', 'threshold (usual + 1 point)'],
  wide,
)
for (const row of nulls)
  printRow(
    [
      row.scenario,
      percent(row.landfall),
      percent(row.withoutMinimumEffect),
      percent(row.mannWhitney),
      percent(row.mannWhitneyEqual),
      percent(row.threshold),
    ],
    wide,
  )
const mean = (key: 'landfall' | 'mannWhitney' | 'mannWhitneyEqual' | 'threshold') =>
  nulls.reduce((sum, row) => sum + row[key], 0) / nulls.length
const floor = 1 / (rollouts * nulls.length)
const ratio = {
  mannWhitneyEqual: mean('mannWhitneyEqual') / Math.max(floor, mean('landfall')),
  mannWhitney: mean('mannWhitney') / Math.max(floor, mean('landfall')),
  threshold: mean('threshold') / Math.max(floor, mean('landfall')),
}
console.log(
  `\nFalse aborts against ours: Mann-Whitney ${ratio.mannWhitney.toFixed(0)} times as many (${ratio.mannWhitneyEqual.toFixed(0)} with equal arms), fixed threshold ${ratio.threshold.toFixed(0)} times as many\n`,
)

const limits = { 'error-rate': 0.01, 'latency-p50': 44, 'latency-p99': 141 }
const detections = harms.map(({ traffic, metric, worseBy }) => ({
  scenario: traffic.name,
  landfall: delay((seed) =>
    runComparison({ id: metric, kind: 'compare', metric, worseBy, minSample: 50 }, alpha, traffic, oneStep, seed),
  ),
  mannWhitney: delay((seed) => mannWhitney(metric, traffic, oneStep, seed)),
  threshold: delay((seed) => fixedThreshold(limits[metric], metric, traffic, oneStep, seed)),
}))

console.log(
  `Candidate's requests until it is stopped (20% share, 10 requests a look, 300 looks): median / nine of ten, and how many were found\n`,
)
const columns = [32, 24, 24, 24]
printRow(['harm', 'landfall', 'mann-whitney', 'threshold'], columns)
const cell = (each: ReturnType<typeof delay>) => `${each.half ?? '-'} / ${each.most ?? '-'} (${percent(each.found)})`
for (const row of detections)
  printRow([row.scenario, cell(row.landfall), cell(row.mannWhitney), cell(row.threshold)], columns)

report(
  'verdicts',
  `\nOf ${rollouts} simulated rollouts per row`,
  [
    {
      what: 'false aborts, mean of the traffics',
      measured: 100 * mean('landfall'),
      unit: '%',
      target: `<= ${100 * alpha} %`,
      met: mean('landfall') <= alpha,
    },
    { what: 'false aborts of Mann-Whitney', measured: 100 * mean('mannWhitney'), unit: '%', target: '', met: null },
    {
      what: 'false aborts of Mann-Whitney, equal arms',
      measured: 100 * mean('mannWhitneyEqual'),
      unit: '%',
      target: '',
      met: null,
    },
    { what: 'false aborts of a fixed threshold', measured: 100 * mean('threshold'), unit: '%', target: '', met: null },
  ],
  { rollouts, alpha, falseAborts: nulls, ratio, detections },
)
