import { act } from './act.ts'
import { noSeams, type Seams } from './bugs.ts'
import { arrived, heal, lastChecks } from './calm.ts'
import { type Cast, calmAt, type Entry } from './script.ts'
import type { Violation } from './watch.ts'
import { World } from './world.ts'

export interface Outcome {
  violation: Violation | null
  /** Hash over everything that happened, and how much that was. */
  hash: number
  steps: number
  /** Milliseconds of simulated time. */
  ms: number
}

/** From the calm on, everybody has to have arrived by then. Milliseconds. */
const patienceMs = 900_000

/** Plays a script to its end, or to the first violation. The same seed, cast and entries give the same outcome, hash included. */
export async function simulate(
  seed: number,
  cast: Cast,
  entries: readonly Entry[],
  seams: Seams = noSeams,
): Promise<Outcome> {
  const world = new World(seed, cast, seams)
  const { scheduler, watch, start } = world
  const surprises: string[] = []
  const surprise = (error: unknown) =>
    surprises.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.on('unhandledRejection', surprise)
  // An abort makes an error, and there are many: their stacks would cost more than all the rest.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const over = () => {
    if (surprises[0]) watch.fail('nothing throws unheard', surprises[0])
    watch.promptness.look()
    return watch.violation !== null
  }
  try {
    for (const entry of entries)
      scheduler.after(entry.at, null, entry.kind, () => {
        act(world, entry)
      })
    await scheduler.run(start + calmAt, over)
    const end = start + calmAt + patienceMs
    for (let round = 0; !over() && scheduler.now < end; round++) {
      heal(world, round)
      await scheduler.run(scheduler.now + 5_000, over)
      if (round > 3 && arrived(world) === null) break
    }
    const missing = over() ? null : arrived(world)
    if (missing) watch.fail('arrives where it is allowed', missing)
    if (!over()) lastChecks(world)
  } finally {
    process.off('unhandledRejection', surprise)
    Error.stackTraceLimit = stackTraceLimit
    for (const { life } of [...world.managers.values(), ...world.agents.values()]) scheduler.kill(life)
  }
  return { violation: watch.violation, hash: scheduler.hash, steps: scheduler.steps, ms: scheduler.now - start }
}
