import { parseArgs } from 'node:util'
import { fences } from '../test/fences/fences.ts'
import { prove } from '../test/fences/prove.ts'

/**
 * `npm run fences`: takes each fencing check of the product away, alone, in a copy of the repository, and demands that its tests go red.
 *
 * - `--only NAME,…`: these; a part of a name is enough
 * - `--jobs N`: so many at once (1)
 * - `--red-only`: does not look first whether the tests are green with everything in place
 * - `--json`: the proofs as JSON on standard output, progress on standard error
 *
 * First all of these tests run once with everything in place. Ends with 1 when one of them can be broken without a test that notices.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    'red-only': { type: 'boolean', default: false },
    json: { type: 'boolean' },
  },
})
const wanted = values.only.split(',').filter(Boolean)
const chosen = fences.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
if (chosen.length === 0) throw new Error(`there is no fence ${values.only}`)
const say = values.json ? console.error : console.log
const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
const proofs = await prove(chosen, {
  jobs: Number(values.jobs),
  whole: !values['red-only'],
  signal: stopping.signal,
  onProof: ({ name, red, why, failed, ms }) => {
    const [first, ...more] = failed
    const seen = `${first}${more.length > 0 ? ` and ${more.length} more` : ''}`
    say(`${red ? 'red  ' : 'GREEN'} ${name} (${(ms / 1000).toFixed(1)} s): ${red ? seen : why}`)
  },
})
const red = proofs.filter((proof) => proof.red).length
say(`${red} of ${proofs.length} red`)
if (values.json) console.log(JSON.stringify(proofs, null, 2))
process.exitCode = red === proofs.length ? 0 : 1
