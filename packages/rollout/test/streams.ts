import type { Counters } from '../src/machine/types.ts'
import { latencyBoundsMs } from '../src/statistics/latency-bounds.ts'
import { type Chance, chance } from './random.ts'

/** How a simulated service fails and how fast it answers; the same for both versions, but for what the candidate adds. */
export interface Traffic {
  name: string
  /** Requests a second, of both versions. */
  perSecond: number
  /** Mean error rate of stable. */
  errors: number
  /** What the candidate adds to the error rate. */
  added?: number
  /** Median of log-normal latency (ms), its sigma, and the candidate's factor. */
  latency?: { median: number; sigma: number; factor?: number }
  /** Each request is reported this many times. */
  copies?: number
  /** A failing client tries again at once, on the same version: the mean number of errors a failure makes. */
  retries?: number
  /** Sometimes everything fails more for a while, on both: chance per look that it begins, rate, looks it lasts. */
  bursts?: { begin: number; rate: number; looks: number }
  /** The rate of the whole service moves from look to look: coefficient of variation. */
  common?: number
  /** The rate of each version moves for itself: coefficient of variation. */
  separate?: number
}

export interface Schedule {
  shares: readonly number[]
  looksPerStep: number
  secondsPerLook: number
}

export interface LookAt {
  at: number
  step: number
  stable: Counters
  candidate: Counters
}

const empty = (): Counters => ({
  requests: 0,
  errors: 0,
  latency: new Array(latencyBoundsMs.length + 1).fill(0),
  restarts: 0,
  through: 0,
})

/** The looks of one simulated rollout. */
export function* looks(traffic: Traffic, schedule: Schedule, seed: number): Generator<LookAt> {
  const random = chance(seed)
  const arms = { stable: empty(), candidate: empty() }
  const fractions = traffic.latency
    ? { stable: buckets(traffic.latency, 1), candidate: buckets(traffic.latency, traffic.latency.factor ?? 1) }
    : null
  let burst = 0
  let at = 0
  for (const [step, share] of schedule.shares.entries()) {
    for (let look = 0; look < schedule.looksPerStep; look++) {
      at += schedule.secondsPerLook * 1000
      const { bursts } = traffic
      if (bursts && burst === 0 && random.uniform() < bursts.begin) burst = bursts.looks
      const factor = vary(random, traffic.common ?? 0)
      const total = random.poisson(traffic.perSecond * schedule.secondsPerLook)
      const part = random.binomial(total, share / 100)
      for (const arm of ['stable', 'candidate'] as const) {
        const base = traffic.errors + (arm === 'candidate' ? (traffic.added ?? 0) : 0)
        const calm = Math.min(1, base * factor * vary(random, traffic.separate ?? 0))
        const rate = burst > 0 && bursts ? Math.min(1, calm + bursts.rate) : calm
        const n = arm === 'candidate' ? part : total - part
        arms[arm] = add(
          arms[arm],
          n,
          cluster(random, random.binomial(n, rate), traffic),
          traffic.copies ?? 1,
          fractions?.[arm] ?? null,
          random,
          at,
        )
      }
      if (burst > 0) burst -= 1
      yield { at, step, ...arms }
    }
  }
}

function vary(random: Chance, cv: number): number {
  return cv === 0 ? 1 : random.gamma(1 / (cv * cv)) * cv * cv
}

/** Each failure brings its retries: more failing requests beside those counted. */
function cluster(random: Chance, failures: number, traffic: Traffic): { errors: number; more: number } {
  const mean = traffic.retries ?? 1
  if (mean <= 1) return { errors: failures, more: 0 }
  let more = 0
  for (let index = 0; index < failures; index++) while (random.uniform() < 1 - 1 / mean) more += 1
  return { errors: failures + more, more }
}

function add(
  before: Counters,
  n: number,
  failed: { errors: number; more: number },
  copies: number,
  fractions: readonly number[] | null,
  random: Chance,
  at: number,
): Counters {
  const latency = [...before.latency]
  let left = n
  let rest = 1
  for (const [bucket, fraction] of (fractions ?? [1]).entries()) {
    const here = rest <= 0 ? 0 : random.binomial(left, Math.min(1, fraction / rest))
    latency[bucket] = (latency[bucket] ?? 0) + here * copies
    left -= here
    rest -= fraction
  }
  return {
    requests: before.requests + (n + failed.more) * copies,
    errors: before.errors + failed.errors * copies,
    latency,
    restarts: 0,
    through: at,
  }
}

/** Probability of each bucket under a log-normal latency. */
function buckets(latency: NonNullable<Traffic['latency']>, factor: number): number[] {
  const below = latencyBoundsMs.map((bound) => normalBelow(Math.log(bound / (latency.median * factor)) / latency.sigma))
  return [...below, 1].map((each, index) => Math.max(0, each - (below[index - 1] ?? 0)))
}

/** Standard normal distribution function (Abramowitz and Stegun 7.1.26, error below 1.5e-7). */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.3275911 * (Math.abs(z) / Math.SQRT2))
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const erf = 1 - series * Math.exp((-z * z) / 2)
  return z >= 0 ? (1 + erf) / 2 : (1 - erf) / 2
}
