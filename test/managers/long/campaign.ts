import { seededRandom } from '@landfall/engine/testing'
import { startTestServer } from '@landfall/manager/testing'
import { debianPostgres, ensure } from '../../../scripts/setup/system-packages.ts'
import { ManagersWorld, project } from '../../harness/managers-world.ts'
import { StandbyPair } from '../../harness/standby-pair.ts'
import { Users } from '../../harness/users.ts'
import { ofDatabase } from './database.ts'
import { ofProcesses } from './processes.ts'
import { pick, type Scenario } from './scenario.ts'
import { promoteStandby } from './standby.ts'

export interface CampaignOptions {
  /** How many managers there are, one world for each. */
  worlds: readonly number[]
  /** How often what has other moments is repeated. */
  rounds: number
  seed: number
  /** Only scenarios with these names; none: all. */
  only: readonly string[]
  say: (line: string) => void
  /** Ends what is under way, and everything that was started. */
  signal: AbortSignal
}

export interface Outcome {
  scenario: string
  managers: number
  round: number
  /** What did not hold; nothing: all was well. */
  wrong: string[]
  /** Requests of users of the workers that were answered meanwhile, all of them with 200 where nothing is wrong. */
  answers: number
  seconds: number
}

const standby = 'standby-promoted'
export const scenarioNames = [...ofProcesses, ...ofDatabase].map(({ name }) => name).concat(standby)
/** So long may a scenario take, on a machine that does much else too. */
const limitMs = 15 * 60_000

/** Two and more managers on one database: all that goes wrong, again and again, each time at another moment. */
export async function campaign(options: CampaignOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const wanted = ({ name }: { name: string }) => options.only.length === 0 || options.only.includes(name)
  const scenarios = [...ofProcesses, ...ofDatabase].filter(wanted)
  for (const managers of options.worlds) {
    if (options.signal.aborted) break
    if (scenarios.length > 0) outcomes.push(...(await inOneWorld(options, managers, scenarios)))
    if (!wanted({ name: standby })) continue
    for (let round = 1; round <= options.rounds && !options.signal.aborted; round++) {
      outcomes.push(await standbyRound(options, managers, round))
    }
  }
  return outcomes
}

async function inOneWorld(
  options: CampaignOptions,
  managers: number,
  scenarios: readonly Scenario[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const server = await startTestServer()
  try {
    const { url } = await server.empty()
    const world = await ManagersWorld.start({ managers, push: 2, pull: 1, airgapped: 1, database: url })
    try {
      let made = 0
      for (const scenario of scenarios) {
        for (let round = 1; round <= (scenario.repeats ? options.rounds : 1); round++) {
          made += 1
          const { name } = scenario
          const chance = chanceOf(options.seed, name, managers, round)
          const say = (line: string) => options.say(`${name}, ${managers} managers, round ${round}: ${line}`)
          const version = `1.${made}.0`
          const outcome = await judged(options, { scenario: name, managers, round }, world, version, async () => {
            const wrong = await scenario.act({ world, version, chance, say })
            return [...wrong, ...(await carried(world, version, chance))]
          })
          outcomes.push(told(outcome, options))
          // What is left of a world that did not come right would be blamed on the next.
          if (outcome.wrong.length > 0) return outcomes
        }
      }
    } finally {
      await world.stop()
    }
    return outcomes
  } finally {
    await server.stop()
  }
}

async function standbyRound(options: CampaignOptions, managers: number, round: number): Promise<Outcome> {
  const of = { scenario: standby, managers, round }
  const [missing] = ensure([debianPostgres])
  if (missing) return told({ ...of, wrong: [missing], answers: 0, seconds: 0 }, options)
  const pair = await StandbyPair.start()
  try {
    const world = await ManagersWorld.start({ managers, push: 2, pull: 1, airgapped: 1, database: pair.primary })
    try {
      const chance = chanceOf(options.seed, standby, managers, round)
      const say = (line: string) => options.say(`${standby}, ${managers} managers, round ${round}: ${line}`)
      const outcome = await judged(options, of, world, '1.2.0', async () => {
        const wrong = await promoteStandby({ world, chance, say }, pair)
        return [...wrong, ...(await carried(world, '1.2.0', chance))]
      })
      return told(outcome, options)
    } finally {
      await world.stop()
    }
  } finally {
    await pair.stop()
  }
}

/** The site without network comes along: a bundle by one manager, what it hands back to another, and to a third once more. */
async function carried(world: ManagersWorld, version: string, chance: () => number): Promise<string[]> {
  const from = pick(chance, world.managers)
  const to = world.managers.filter((one) => one !== from).map((one) => world.clientOf(one))
  await world.carry(version, { from: world.clientOf(from), to: [...to, world.clientOf(from)] })
  return []
}

/** Lets a scenario happen under the eyes of users, and looks at everything afterwards. */
async function judged(
  { signal }: CampaignOptions,
  of: { scenario: string; managers: number; round: number },
  world: ManagersWorld,
  version: string,
  act: () => Promise<string[]>,
): Promise<Outcome> {
  const startedAt = Date.now()
  const users = new Users(await world.userUrls())
  const wrong = await within(act, signal).catch(async (error: unknown) => [String(error), ...(await standing(world))])
  await users.leave()
  if (users.answers === 0) wrong.push('no user was answered')
  wrong.push(...users.failed)
  if (wrong.length === 0) wrong.push(...(await world.broken(version)))
  return { ...of, wrong, answers: users.answers, seconds: Math.round((Date.now() - startedAt) / 1_000) }
}

/** What waits on in a scenario that took too long ends with the process. */
async function within<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const over = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const late = new Promise<never>((_, reject) => {
    const end = () => reject(new Error(signal.aborted ? 'stopped' : `it took longer than ${limitMs / 60_000} minutes`))
    over.addEventListener('abort', end, { once: true })
    if (over.aborted) end()
  })
  return Promise.race([act(), late])
}

/** Where the fleet stands, for whoever has to find out why. */
async function standing(world: ManagersWorld): Promise<string[]> {
  const { items } = await world.client.listDeployments({ params: { project } }).catch(() => ({ items: [] }))
  return items.map(
    ({ name, phase, actual, target }) => `${name}: ${phase}, at ${actual?.version}, told ${target?.version}`,
  )
}

/** Of its own for each run, so that one can be played again without those before it. */
function chanceOf(seed: number, name: string, managers: number, round: number): () => number {
  const mixed = [...`${name} ${managers} ${round}`].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, seed)
  const random = seededRandom(mixed)
  return () => random.next()
}

function told(outcome: Outcome, { say }: CampaignOptions): Outcome {
  const { scenario, managers, round, wrong, answers, seconds } = outcome
  const how =
    wrong.length === 0 ? `all well, ${answers} answers to users` : `WRONG\n  ${wrong.slice(0, 20).join('\n  ')}`
  say(`${scenario}, ${managers} managers, round ${round}: ${how} (${seconds} s)`)
  return outcome
}
