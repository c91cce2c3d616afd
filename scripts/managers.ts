import { parseArgs } from 'node:util'
import { campaign, scenarioNames } from '../test/managers/long/campaign.ts'

/**
 * `npm run managers`: two and three managers on one database, and all that goes wrong with them, each time at another moment.
 *
 * - `--worlds 2,3`: how many managers, one world for each
 * - `--rounds N`: how often a kill, a freeze, a restart and a promotion are repeated (3)
 * - `--seed N`: where the moments come from; printed, so that they can be had again
 * - `--only killed,standby-promoted`: these scenarios
 * - `--json`: the outcomes as JSON on standard output, progress on standard error
 *
 * Ends with 1 when something did not hold.
 */
const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '2,3' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
    json: { type: 'boolean' },
  },
})
const only = values.only.split(',').filter(Boolean)
for (const name of only) {
  if (!scenarioNames.includes(name)) throw new Error(`there is no ${name}, only ${scenarioNames.join(', ')}`)
}
const print = values.json ? console.error : console.log
const say = (line: string) => print(`${new Date().toISOString().slice(11, 19)} ${line}`)
say(`seed ${values.seed}`)
const worlds = values.worlds.split(',').map(Number)
const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
const outcomes = await campaign({ worlds, rounds, seed, only, say, signal: stopping.signal })
const wrong = outcomes.filter((outcome) => outcome.wrong.length > 0).length
say(`${outcomes.length - wrong} of ${outcomes.length} all well, seed ${values.seed}`)
if (values.json) console.log(JSON.stringify(outcomes, null, 2))
// What still waits for something that never came in a world that broke off.
process.exit(wrong === 0 ? 0 : 1)
