import type { Scenario, Victim } from '../scenarios/scenario.ts'
import type { World } from '../world/world.ts'
import { compare } from './compare.ts'
import type { EndState } from './end-state.ts'
import { runScenario } from './run-scenario.ts'

export interface Covered {
  scenario: string
  victim: Victim
  /** Two a point: right before it, right after it. */
  total: number
  covered: number
  runs: number
  kills: number
  ms: number
  /** Not passed again in any of the runs that waited for it. */
  missed: string[]
  failures: { killed: string[]; problems: string[] }[]
}

export interface CoverOptions {
  occurrences: number
  /** In one run, each at another point. */
  kills: number
  /** Runs at most for one process of one scenario. */
  runs: number
  /** Milliseconds since the epoch: no run is begun after it. */
  until: number
  /** For PostgreSQL: every so many-th point of the manager. */
  sample: number
  say: (line: string) => void
}

const calmRun = { process: null, deaths: [], kills: 0, victim: null }

/** What a scenario's processes write when nobody disturbs them, and how it ends. */
export interface Recording {
  end: EndState
  points: ReadonlyMap<Victim, readonly string[]>
}

export async function record(world: World, scenario: Scenario, occurrences: number): Promise<Recording> {
  let last = ''
  // Seen twice the same: it has settled.
  const calm = await runScenario(world, scenario, { ...calmRun, occurrences }, (end) => {
    const now = JSON.stringify([end.files, end.processes, end.audit])
    const settled = now === last
    last = now
    return settled ? [] : ['it has not settled']
  })
  if (calm.problems.length > 0 || !calm.end) {
    throw new Error(`${scenario.name} fails when nobody is killed: ${calm.problems.join('; ')}`)
  }
  const points = scenario.victims.map((victim) => {
    const trace = world.trace(victim === 'postgres' ? 'manager' : victim)
    return [victim, [...new Set(trace)]] as const
  })
  return { end: calm.end, points: new Map(points) }
}

/** Kills one process of a scenario at each of its points, before and after, until all are covered or the time is over. */
export async function cover(
  world: World,
  scenario: Scenario,
  victim: Victim,
  recording: Recording,
  options: CoverOptions,
): Promise<Covered> {
  const points = recording.points.get(victim) ?? []
  const sampled = victim === 'postgres' ? points.filter((_, index) => index % options.sample === 0) : points
  const open = new Set(sampled.flatMap((point) => [`${point} before`, `${point} after`]))
  const result: Covered = {
    ...{ scenario: scenario.name, victim, total: open.size, covered: 0, runs: 0, kills: 0, ms: 0 },
    ...{ missed: [], failures: [] },
  }
  const armed = {
    process: victim === 'postgres' ? 'manager' : victim,
    occurrences: options.occurrences,
    victim: victim === 'postgres' ? 0 : null,
  }
  for (let inVain = 0; open.size > 0 && inVain < 2 && result.runs < options.runs && Date.now() < options.until; ) {
    const deaths = [...open]
    const run = await runScenario(world, scenario, { ...armed, deaths, kills: options.kills }, (end) =>
      compare(end, recording.end),
    )
    result.runs++
    result.kills += run.killed.length
    result.ms += run.ms
    for (const death of run.killed) open.delete(death)
    inVain = run.killed.length === 0 ? inVain + 1 : 0
    if (run.problems.length > 0) result.failures.push({ killed: run.killed, problems: run.problems })
    const words =
      run.problems.length === 0 ? 'right' : `WRONG: ${run.problems.join('; ')} after ${run.killed.join(' | ')}`
    options.say(
      `${scenario.name} ${victim}: ${result.total - open.size}/${result.total}, ${run.killed.length} kills in ${(run.ms / 1000).toFixed(1)} s, ${words}`,
    )
  }
  result.covered = result.total - open.size
  result.missed = [...open]
  return result
}
