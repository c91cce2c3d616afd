import { setTimeout as sleep } from 'node:timers/promises'
import type { Armed } from '../instrument/trace.ts'
import { type Scenario, tracedAs, type Victim } from '../scenarios/scenario.ts'
import type { World } from '../world/world.ts'
import { type EndState, endState } from './end-state.ts'

export interface RunResult {
  /** Where somebody was killed, in that order. */
  killed: string[]
  end: EndState | null
  problems: string[]
  ms: number
  /** Where the time went: milliseconds of each part. */
  parts: Record<'back' | 'start' | 'act' | 'settle', number>
}

/** Who is killed in a run, and where; nobody in one that only records. */
export interface Plan {
  victim: Victim | null
  deaths: readonly string[]
  /** So often, each at another of `deaths`. */
  kills: number
  occurrences: number
}

/** Long, for a busy machine: only a run that ends wrong waits so long. */
const settleMs = 60_000

/**
 * One run from a kept state to its end.
 *
 * @param matches what is wrong with an end, or nothing; asked again until it settles
 */
export async function runScenario(
  world: World,
  scenario: Scenario,
  plan: Plan,
  matches: (end: EndState) => string[],
): Promise<RunResult> {
  const started = performance.now()
  const parts = { back: 0, start: 0, act: 0, settle: 0 }
  const over = (part: keyof typeof parts) => {
    const before = Object.values(parts).reduce((all, ms) => all + ms, 0)
    parts[part] = Math.round(performance.now() - started - before)
  }
  await world.bringBack(scenario.base)
  over('back')
  const watching = new AbortController()
  const database = plan.victim === 'postgres' ? bringDatabaseBack(world, watching.signal) : null
  const children = scenario.runs.map((name) => world[name])
  world.manager.mayFailToStart = plan.victim === 'postgres'
  const problems: string[] = []
  let end: EndState | null = null
  if (scenario.fromStart) world.arm(armedFor(world, scenario, plan))
  try {
    await Promise.all(children.map((child) => child.start()))
    if (!scenario.fromStart) {
      await world.quiet()
      world.arm(armedFor(world, scenario, plan))
    }
    over('start')
    await scenario.act(world)
    over('act')
    const until = Date.now() + settleMs
    for (;;) {
      const seen = await endState(world, scenario).catch((error: unknown) => String(error))
      if (typeof seen !== 'string') end = seen
      const wrong = typeof seen === 'string' ? [seen] : matches(seen)
      if (wrong.length === 0 || Date.now() > until) {
        problems.push(...wrong)
        break
      }
      await sleep(150)
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
  }
  over('settle')
  watching.abort()
  await database
  for (const child of children) problems.push(...child.faults)
  return { killed: world.killed(), end, problems, ms: Math.round(performance.now() - started), parts }
}

function armedFor(world: World, scenario: Scenario, { victim, deaths, kills, occurrences }: Plan): Armed {
  return {
    ...{ deaths, kills, occurrences },
    process: victim && tracedAs(scenario, victim),
    victim: victim === 'postgres' ? world.database.pidFile : null,
  }
}

/** Starts PostgreSQL again whenever it was killed, as its own supervisor would. */
async function bringDatabaseBack({ database }: World, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; await sleep(30)) {
    if (database.alive) continue
    // Killed again before it was ready: it is started once more.
    await database.again().catch(() => {})
    await database.expireHolds().catch(() => {})
  }
}
