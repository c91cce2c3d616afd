import type {
  Action,
  Control,
  Counters,
  GateAnswer,
  Observation,
  Plan,
  VersionObservation,
} from '../src/machine/types.ts'
import { latencyBoundsMs } from '../src/statistics/latency-bounds.ts'
import { type Chance, chance } from './random.ts'

/** How the simulated platform treats us. All chances are per look. */
export interface Weather {
  seed: number
  /** An action is lost. */
  loss: number
  /** An instance that should come up does not, yet. */
  slow: number
  /** A healthy instance turns unhealthy. */
  flap: number
  /** Counters arrive not at all, or those of some looks ago. */
  lateCounters: number
  /** The router forgets what was asked and returns to what it had. */
  slowRouter: number
  /** Milliseconds from look to look; the clock sometimes jumps. */
  lookMs: number
  jumpyClock: boolean
  /** Look at which the candidate starts to crash; null: never. */
  crashesAt: number | null
  /** Stable never has anything healthy. */
  badStable: boolean
  /** Error rates. */
  errors: { stable: number; candidate: number }
  perLook: number
}

export const calm: Weather = {
  seed: 1,
  loss: 0,
  slow: 0,
  flap: 0,
  lateCounters: 0,
  slowRouter: 0,
  lookMs: 1000,
  jumpyClock: false,
  crashesAt: null,
  badStable: false,
  errors: { stable: 0, candidate: 0 },
  perLook: 200,
}

interface Version {
  desired: number
  total: number
  available: number
  counters: Counters
}

const fresh = (): Version => ({
  desired: 0,
  total: 0,
  available: 0,
  counters: { requests: 0, errors: 0, latency: new Array(latencyBoundsMs.length + 1).fill(0), restarts: 0, through: 0 },
})

/** A platform with two versions and a router, in memory, which does what it is told, or not. */
export class World {
  now = 1_000_000
  look = 0
  served: number
  promoted = false
  stable: Version | null
  candidate: Version | null = null
  readonly controls: Control[] = []
  readonly gates: Record<string, GateAnswer> = {}
  readonly random: Chance
  readonly plan: Plan
  readonly desired: number
  readonly weather: Weather
  #late: Counters[] = []

  constructor(plan: Plan, desired: number, weather: Weather, first = false) {
    this.plan = plan
    this.desired = desired
    this.weather = weather
    this.random = chance(weather.seed)
    this.served = 0
    const up = weather.badStable ? 0 : desired
    this.stable = first ? null : { ...fresh(), desired, total: desired, available: up }
  }

  observe(): Observation {
    const show = (version: Version | null): VersionObservation | null =>
      version && {
        desired: version.desired,
        total: version.total,
        available: version.available,
        counters: version.counters,
      }
    const candidate = show(this.candidate)
    const { crashesAt, lateCounters } = this.weather
    if (candidate) {
      if (crashesAt !== null && this.look >= crashesAt)
        candidate.failing = { code: 'crash-loop', message: 'Exits again and again' }
      const late = this.#late[Math.floor(this.random.uniform() * this.#late.length)]
      if (this.random.uniform() < lateCounters) {
        if (late && this.random.uniform() < 0.5) candidate.counters = late
        else delete candidate.counters
      }
    }
    return {
      stable: show(this.stable),
      candidate,
      served: this.#reads(),
      desired: this.desired,
      gates: { ...this.gates },
      controls: [...this.controls],
      promoted: this.promoted,
    }
  }

  /** A router sends everything to the only one that can serve. */
  #reads(): number {
    const alone = this.weather.badStable && (this.candidate?.available ?? 0) > 0
    return alone && this.served > 0 ? 100 : this.served
  }

  /** Does (or loses) what it was told, lets time and requests pass. */
  pass(actions: readonly Action[]): void {
    for (const action of actions) if (this.random.uniform() >= this.weather.loss) this.#do(action)
    this.look += 1
    const { lookMs, jumpyClock } = this.weather
    const jump = jumpyClock ? Math.round((this.random.uniform() - 0.4) * 20 * lookMs) : 0
    this.now += lookMs + jump
    for (const version of [this.stable, this.candidate])
      if (version) this.#live(version, version === this.stable && this.weather.badStable)
    this.#serve()
  }

  #do(action: Action): void {
    if (action.kind === 'scale') {
      if (action.version === 'candidate') this.candidate ??= fresh()
      const version = this[action.version]
      if (version) version.desired = action.instances
    } else if (action.kind === 'route' && this.random.uniform() >= this.weather.slowRouter) this.served = action.share
    else if (action.kind === 'promote') this.promoted = true
    else if (action.kind === 'demote') this.promoted = false
    else if (action.kind === 'retire') this[action.version] = null
    else if (action.kind === 'open-gate') this.gates[action.gate.id] ??= { status: 'wait' }
    else if (action.kind === 'close-gate') delete this.gates[action.gate.id]
  }

  #live(version: Version, bad: boolean): void {
    const { slow, flap } = this.weather
    version.total = Math.max(version.desired, Math.min(version.total, version.desired))
    version.available = Math.min(version.available, version.total)
    for (let index = version.available; index < version.total; index++)
      if (!bad && this.random.uniform() >= slow) version.available += 1
    if (this.random.uniform() < flap)
      version.available = Math.max(0, version.available - 1 - Math.floor(this.random.uniform() * 3))
  }

  #serve(): void {
    const n = this.random.poisson(this.weather.perLook)
    const part = this.random.binomial(n, this.#reads() / 100)
    const add = (version: Version | null, requests: number, rate: number) => {
      if (!version) return
      const errors = this.random.binomial(requests, rate)
      const latency = [...version.counters.latency]
      latency[9] = (latency[9] ?? 0) + requests
      const { counters } = version
      const through = Math.max(this.now, counters.through)
      version.counters = {
        ...counters,
        requests: counters.requests + requests,
        errors: counters.errors + errors,
        latency,
        through,
      }
    }
    add(this.stable, n - part, this.weather.errors.stable)
    add(this.candidate, part, this.weather.errors.candidate)
    if (this.candidate) this.#late = [...this.#late, this.candidate.counters].slice(-10)
  }
}
