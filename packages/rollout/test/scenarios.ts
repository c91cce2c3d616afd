import type { Schedule, Traffic } from './streams.ts'

/** A rollout of three steps, six minutes, looked at every two seconds. */
export const threeSteps: Schedule = { shares: [17, 50, 83], looksPerStep: 60, secondsPerLook: 2 }
/** One long step, to see how long a detection takes. */
export const oneStep: Schedule = { shares: [20], looksPerStep: 300, secondsPerLook: 1 }

const latency = { median: 40, sigma: 0.5 }

/** No version is worse than the other in any of these. */
export const noDifference: readonly Traffic[] = [
  { name: 'independent, 0.2% errors', perSecond: 50, errors: 0.002, latency },
  { name: 'independent, 2% errors', perSecond: 50, errors: 0.02, latency },
  { name: 'quiet, 2% errors', perSecond: 3, errors: 0.02, latency },
  { name: 'each report three times', perSecond: 50, errors: 0.01, latency, copies: 3 },
  { name: 'clients retry, 4 errors a failure', perSecond: 50, errors: 0.01, latency, retries: 4 },
  {
    name: 'bursts of 30% on both',
    perSecond: 50,
    errors: 0.002,
    latency,
    bursts: { begin: 0.03, rate: 0.3, looks: 3 },
  },
  { name: 'common rate varies (cv 2)', perSecond: 50, errors: 0.02, latency, common: 2 },
  { name: 'each rate varies for itself (cv 1)', perSecond: 50, errors: 0.02, latency, separate: 1 },
  { name: 'each rate varies for itself (cv 2)', perSecond: 50, errors: 0.02, latency, separate: 2 },
  {
    name: 'all of it',
    perSecond: 50,
    errors: 0.01,
    latency,
    copies: 3,
    common: 1,
    separate: 1,
    bursts: { begin: 0.02, rate: 0.2, looks: 2 },
  },
]

export interface Harm {
  traffic: Traffic
  metric: 'error-rate' | 'latency-p50' | 'latency-p99'
  worseBy: number
}

/** The candidate is worse, by this much. */
export const harms: readonly Harm[] = [
  {
    traffic: { name: '+1 point of errors on 0.2%', perSecond: 50, errors: 0.002, added: 0.01 },
    metric: 'error-rate',
    worseBy: 0.005,
  },
  {
    traffic: { name: '+3 points of errors on 0%', perSecond: 50, errors: 0, added: 0.03 },
    metric: 'error-rate',
    worseBy: 0.01,
  },
  {
    traffic: { name: '+3 points of errors on 0.2%', perSecond: 50, errors: 0.002, added: 0.03 },
    metric: 'error-rate',
    worseBy: 0.01,
  },
  {
    traffic: { name: '+10 points of errors on 0.2%', perSecond: 50, errors: 0.002, added: 0.1 },
    metric: 'error-rate',
    worseBy: 0.01,
  },
  {
    traffic: { name: '+20% latency, p50', perSecond: 50, errors: 0, latency: { ...latency, factor: 1.2 } },
    metric: 'latency-p50',
    worseBy: 4,
  },
  {
    traffic: { name: '+20% latency, p99', perSecond: 50, errors: 0, latency: { ...latency, factor: 1.2 } },
    metric: 'latency-p99',
    worseBy: 13,
  },
]
