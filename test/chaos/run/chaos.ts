import { scenarios } from '../scenarios/all.ts'
import type { Scenario, Victim } from '../scenarios/scenario.ts'
import { makeBases } from '../world/bases.ts'
import { World } from '../world/world.ts'
import { type Covered, type CoverOptions, cover, type Recording, record } from './cover.ts'

export interface ChaosOptions extends Omit<CoverOptions, 'until'> {
  /** Scenarios or `scenario/process`; empty: all. */
  only: readonly string[]
  /** The `part`th of `of` parts, both from 1. */
  rotate: { part: number; of: number } | null
  /** Milliseconds for everything; null: as long as it takes. */
  budgetMs: number | null
}

interface Unit {
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
  const units = unitsOf(options)
  const covered: Covered[] = []
  const recordings = new Map<Scenario, Recording>()
  const world = await World.open()
  // Whoever ends us early still gets a machine without our processes.
  const leave = () => void world.close().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
  try {
    await makeBases(world)
    options.say(`the world stands in ${world.root}`)
    for (const { scenario, victim } of units) {
      if (Date.now() > until) break
      const recording = recordings.get(scenario) ?? (await record(world, scenario, options.occurrences))
      recordings.set(scenario, recording)
      covered.push(await cover(world, scenario, victim, recording, { ...options, until }))
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave)
    await world.close()
  }
  return covered
}
