import { scenarios } from '../scenarios/all.ts'
import type { Scenario, Victim } from '../scenarios/scenario.ts'
import { World } from '../world/world.ts'
import { type Covered, type CoverOptions, cover } from './cover.ts'
import { type Recording, record } from './record.ts'

export interface ChaosOptions extends Omit<CoverOptions, 'until' | 'progress'> {
  /** Scenarios or `scenario/process`; empty: all. */
  only: readonly string[]
  /** The `part`th of `of` parts, both from 1. */
  rotate: { part: number; of: number } | null
  /** Milliseconds for everything; null: as long as it takes. */
  budgetMs: number | null
  /** Worlds side by side, each with its own PostgreSQL. */
  jobs: number
  /** Undisturbed runs of a scenario, at least one. */
  recordings: number
  /** What earlier runs of the same program left. */
  before: readonly Covered[]
  /** Is told how far a process of a scenario is, after each run. */
  progress?: (covered: Covered) => void
}

export interface Unit {
  scenario: Scenario
  victim: Victim
}

/** Every process of every scenario that is asked for. */
export function unitsOf({ only, rotate }: Pick<ChaosOptions, 'only' | 'rotate'>): Unit[] {
  const all = scenarios.flatMap((scenario) => scenario.victims.map((victim) => ({ scenario, victim })))
  const named = all.filter(
    ({ scenario, victim }) =>
      only.length === 0 || only.includes(scenario.name) || only.includes(`${scenario.name}/${victim}`),
  )
  return rotate === null ? named : named.filter((_, index) => index % rotate.of === rotate.part - 1)
}

/** Kills every process of every asked scenario at each of its points; the report says what was covered and what went wrong. */
export async function chaos(options: ChaosOptions): Promise<Covered[]> {
  const until = options.budgetMs === null ? Number.POSITIVE_INFINITY : Date.now() + options.budgetMs
  const covered: Covered[] = []
  const queue: (Unit & { before: Covered | null })[] = []
  for (const unit of unitsOf(options)) {
    const before = options.before.find((row) => row.scenario === unit.scenario.name && row.victim === unit.victim)
    // What ended wrong is begun again: it is no part of what is kept.
    const kept = before && before.failures.length === 0 ? before : null
    if (kept?.done) covered.push(kept)
    else queue.push({ ...unit, before: kept })
  }
  const recordings = new Map<Scenario, Promise<Recording>>()
  const worlds: Promise<World>[] = []
  // Whoever ends us early still gets a machine without our processes, also where a world was just being made.
  const leave = () =>
    void Promise.allSettled(worlds.map(async (world) => (await world).close())).finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
  const work = async () => {
    const opening = World.open()
    worlds.push(opening)
    const world = await opening
    try {
      options.say(`a world stands in ${world.root}`)
      for (let unit = queue.shift(); unit && (covered.length === 0 || Date.now() < until); unit = queue.shift()) {
        const { scenario, before } = unit
        const recording = recordings.get(scenario) ?? record(world, scenario, options)
        recordings.set(scenario, recording)
        const progress = (row: Covered) => options.progress?.(row)
        const row = await recording
          .then((calm) => cover(world, unit, calm, { ...options, until, progress }, before))
          .catch((error: unknown) => notEven(unit, error))
        options.say(`${scenario.name}/${unit.victim} is ${row.done ? 'over' : 'cut'}; ${queue.length} are left`)
        progress(row)
        covered.push(row)
      }
    } finally {
      await world.close()
    }
  }
  try {
    const ends = await Promise.allSettled(Array.from({ length: Math.min(options.jobs, queue.length) }, work))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave)
  }
  return covered
}

/** What is said of one that could not be begun: its scenario fails by itself. */
function notEven({ scenario, victim }: Unit, error: unknown): Covered {
  const problems = [error instanceof Error ? error.message : String(error)]
  return {
    ...{ scenario: scenario.name, victim, sample: 1, total: 0, covered: 0, sometimes: 0, sometimesCovered: 0 },
    ...{ runs: 0, kills: 0, ms: 0, done: false, failures: [{ killed: [], problems }] },
    deaths: { covered: [], open: [], sometimesOpen: [] },
  }
}
