import { parseArgs } from 'node:util'
import { bugs } from './bug-list.ts'
import { playSeed, tellFailure } from './story.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    bug: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const seeds = Number(values.seeds)
const from = Number(values.from)
const bug = bugs.find(({ name }) => name === values.bug)
if (values.bug && !bug) {
  console.error(`There is no bug ${values.bug}. There are: ${bugs.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const began = performance.now()
let steps = 0
let simulatedMs = 0
let failed = 0
for (let seed = from; seed < from + seeds; seed++) {
  const outcome = await playSeed(seed, bug)
  steps += outcome.steps
  simulatedMs += outcome.ms
  if (!outcome.violation) continue
  failed += 1
  console.log(await tellFailure(seed, outcome, bug))
  if (!values.keep) break
}
const seconds = (performance.now() - began) / 1000
console.log(
  `${seeds} seeds from ${from}${bug ? ` with the bug ${bug.name}` : ''}: ${failed} failed; ${steps} events in ${(simulatedMs / 3_600_000).toFixed(1)} simulated hours, ${seconds.toFixed(1)} s`,
)
process.exit(failed > 0 ? 1 : 0)
