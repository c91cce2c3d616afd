import { setTimeout as sleep } from 'node:timers/promises'
import type { Armed } from '../instrument/trace.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import type { World } from '../world/world.ts'
import { type EndState, endState } from './end-state.ts'

export interface RunResult {
  /** Where somebody was killed, in that order. */
  killed: string[]
  end: EndState | null
  problems: string[]
  ms: number
}

const settleMs = 15_000

/**
 * One run from a kept state to its end.
 *
 * @param armed `victim: 0` stands for PostgreSQL, whose process id is known only when it runs
 * @param matches what is wrong with an end, or nothing; asked again until it settles
 */
export async function runScenario(
  world: World,
  scenario: Scenario,
  armed: Armed,
  matches: (end: EndState) => string[],
): Promise<RunResult> {
  const started = performance.now()
  await world.bringBack(scenario.base)
  const children = scenario.runs.map((name) => world[name])
  const arm = () => world.arm({ ...armed, victim: armed.victim === null ? null : world.database.pid })
  if (scenario.fromStart) arm()
  await Promise.all(children.map((child) => child.start()))
  if (!scenario.fromStart) arm()
  const watching = new AbortController()
  const database = bringDatabaseBack(world, armed, watching.signal)
  const problems: string[] = []
  let end: EndState | null = null
  try {
    await scenario.act(world)
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
  watching.abort()
  await database
  for (const child of children) problems.push(...child.faults)
  return { killed: world.killed(), end, problems, ms: Math.round(performance.now() - started) }
}

/** Starts PostgreSQL again whenever it was killed, as its own supervisor would. */
async function bringDatabaseBack(world: World, { victim }: Armed, signal: AbortSignal): Promise<void> {
  if (victim === null) return
  for (let seen = 0; !signal.aborted; await sleep(50)) {
    const killed = world.killed().length
    if (killed === seen) continue
    seen = killed
    await world.database.again()
  }
}
