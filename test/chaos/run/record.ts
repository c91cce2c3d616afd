import { type Scenario, tracedAs, type Victim } from '../scenarios/scenario.ts'
import { makeBase } from '../world/bases.ts'
import type { World } from '../world/world.ts'
import { compare } from './compare.ts'
import type { EndState } from './end-state.ts'
import { runScenario } from './run-scenario.ts'

/** What a scenario's processes write when nobody disturbs them, run by run, and how it ends. */
export interface Recording {
  end: EndState
  passes: ReadonlyMap<Victim, readonly ReadonlySet<string>[]>
}

const nobody = { victim: null, deaths: [], kills: 0 }

/**
 * Runs a scenario undisturbed, several times: what each of them passes is what has to be covered, and their ends have to be the same.
 *
 * @throws when it fails, or ends otherwise the second time: then nothing can be said about a disturbed run either
 */
export async function record(
  world: World,
  scenario: Scenario,
  options: { occurrences: number; recordings: number; say: (line: string) => void },
): Promise<Recording> {
  await makeBase(world, scenario.base)
  const passes = new Map(scenario.victims.map((victim) => [victim, [] as ReadonlySet<string>[]]))
  let end: EndState | null = null
  for (let run = 0; run < options.recordings; run++) {
    const calm = await runScenario(world, scenario, { ...nobody, occurrences: options.occurrences }, matches(end))
    if (calm.problems.length > 0 || !calm.end) {
      throw new Error(`${scenario.name} fails when nobody is killed: ${calm.problems.join('; ')}`)
    }
    end ??= calm.end
    for (const [victim, sets] of passes) sets.push(new Set(world.trace(tracedAs(scenario, victim))))
    options.say(`${scenario.name}: undisturbed, ${inWords(calm.parts)}`)
  }
  if (!end) throw new Error('no undisturbed run was asked for')
  return { end, passes }
}

/** The first run has nothing to be measured by: it has settled when it is seen twice the same. The next are measured by it. */
function matches(first: EndState | null): (end: EndState) => string[] {
  if (first) return (end) => compare(end, first)
  let last = ''
  return (end) => {
    const now = JSON.stringify([end.files, end.processes, end.audit, end.tables])
    const settled = now === last
    last = now
    return settled ? [] : ['it has not settled']
  }
}

/** Where a run's time went, in seconds. */
export const inWords = (parts: Readonly<Record<string, number>>) =>
  Object.entries(parts)
    .map(([part, ms]) => `${part} ${(ms / 1000).toFixed(1)}`)
    .join(', ')
