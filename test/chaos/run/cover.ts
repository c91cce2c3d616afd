import type { Scenario, Victim } from '../scenarios/scenario.ts'
import { makeBase } from '../world/bases.ts'
import type { World } from '../world/world.ts'
import { compare } from './compare.ts'
import { Ledger } from './ledger.ts'
import { inWords, type Recording } from './record.ts'
import { runScenario } from './run-scenario.ts'

/** What came out for one process of one scenario; what a report is made of. Two deaths a point: right before it, right after it. */
export interface Covered {
  scenario: string
  victim: Victim
  /** Deaths that each undisturbed run passes, and how many of them were died in a run that ended right. */
  total: number
  covered: number
  /** The same for deaths that only some undisturbed runs pass. */
  sometimes: number
  sometimesCovered: number
  /** One in so many points was taken. */
  sample: number
  runs: number
  kills: number
  ms: number
  /** Over: nothing is open, or what is open did not come again. */
  done: boolean
  deaths: { covered: string[]; open: string[]; sometimesOpen: string[] }
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
  /** For a short look at any process: from the `first` (0: the first) every so many-th point, in place of `sample`. */
  thin?: { every: number; first: number }
  /** Is told how far it is after each run. */
  progress: (covered: Covered) => void
  say: (line: string) => void
}

/** So many runs in which nobody died, and what is open only sometimes comes. */
const vainRuns = 2

/**
 * Kills one process of a scenario at each of its points, before and after, until all are covered or the time is over. After a run that ended
 * wrong fewer are killed in the next, so that the culprit is seen alone.
 *
 * @param before what an earlier, cut run of the same program has covered
 */
export async function cover(
  world: World,
  { scenario, victim }: { scenario: Scenario; victim: Victim },
  recording: Recording,
  options: CoverOptions,
  before: Covered | null,
): Promise<Covered> {
  await makeBase(world, scenario.base)
  const thin = options.thin ?? { every: victim === 'postgres' ? options.sample : 1, first: 0 }
  const ledger = new Ledger(thinned(recording.passes.get(victim) ?? [], thin), before?.deaths.covered)
  const so = {
    runs: before?.runs ?? 0,
    kills: before?.kills ?? 0,
    ms: before?.ms ?? 0,
    failures: before?.failures ?? [],
  }
  const covered = (done: boolean): Covered => ({
    ...{ scenario: scenario.name, victim, sample: thin.every, ...ledger.counts, ...so, done },
    deaths: { covered: [...ledger.covered], open: ledger.open, sometimesOpen: ledger.sometimesOpen },
  })
  // The engine asks a host daemon a bounded number of times for the same thing: one that always dies is told as a failure.
  const bounded = victim === 'host' ? 4 : options.kills
  const most = Math.min(options.kills, bounded, scenario.kills ?? options.kills)
  let inVain = 0
  let kills = most
  for (let runs = 0; ledger.next.length > 0 && inVain < vainRuns; runs++) {
    // Where nothing was killed yet, one run is begun however long the preparation took.
    if (runs >= options.runs || (runs > 0 && Date.now() > options.until)) return covered(false)
    const plan = { victim, deaths: ledger.next, kills, occurrences: options.occurrences }
    const run = await runScenario(world, scenario, plan, (end) => compare(end, recording.end))
    so.runs++
    so.kills += run.killed.length
    so.ms += run.ms
    const right = run.problems.length === 0
    if (right) ledger.right(run.killed)
    else {
      ledger.wrong(run.killed)
      so.failures.push({ killed: run.killed, problems: run.problems })
    }
    if (right && run.killed.length === 0) ledger.calm()
    inVain = run.killed.length === 0 ? inVain + 1 : 0
    kills = right ? most : Math.max(1, Math.ceil(run.killed.length / 2))
    options.say(`${line(covered(false))}, ${run.killed.length} kills (${inWords(run.parts)}) ${said(run)}`)
    options.progress(covered(false))
  }
  return covered(true)
}

const said = ({ problems, killed }: { problems: string[]; killed: string[] }) =>
  problems.length === 0 ? 'right' : `WRONG: ${problems.join('; ')}\n  killed at\n  ${killed.join('\n  ')}`

function line(row: Covered): string {
  const sometimes = row.sometimes > 0 ? ` (and ${row.sometimesCovered}/${row.sometimes} that come sometimes)` : ''
  return `${row.scenario}/${row.victim} ${row.covered}/${row.total}${sometimes}`
}

/** Every so many-th point, both of its deaths, in the order in which the first run passed them. */
function thinned(
  passes: readonly ReadonlySet<string>[],
  { every, first }: { every: number; first: number },
): readonly ReadonlySet<string>[] {
  const pointOf = (death: string) => death.replace(/ (?:before|after)$/, '')
  const points = [...new Set(passes.flatMap((one) => [...one].map(pointOf)))]
  const taken = new Set(points.filter((_, index) => index % every === first % every))
  return passes.map((one) => new Set([...one].filter((death) => taken.has(pointOf(death)))))
}
