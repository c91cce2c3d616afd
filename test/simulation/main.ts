import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bugs } from './bug-list.ts'
import { playSeed, tellFailure } from './story.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    bug: { type: 'string' },
    /** Processes at once, each with its own part of the seeds. */
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** Goes on after a failing seed. */
    keep: { type: 'boolean', default: false },
  },
})
const seeds = Number(values.seeds)
const from = Number(values.from)
const jobs = Math.min(Number(values.jobs), seeds)
const bug = bugs.find(({ name }) => name === values.bug)
if (values.bug && !bug) {
  console.error(`There is no bug ${values.bug}. There are: ${bugs.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const failed = jobs > 1 ? await share() : await play()
process.exit(failed ? 1 : 0)

async function play(): Promise<boolean> {
  const began = performance.now()
  let events = 0
  let simulatedMs = 0
  let played = 0
  let failures = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await playSeed(seed, bug)
    played += 1
    events += outcome.steps
    simulatedMs += outcome.ms
    if (!outcome.violation) continue
    failures += 1
    console.log(await tellFailure(seed, outcome, bug))
    if (!values.keep) break
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const hours = (simulatedMs / 3_600_000).toFixed(1)
  const what = `${played} seeds from ${from}${bug ? ` with the bug ${bug.name}` : ''}`
  console.log(`${what}: ${failures} failed; ${events} events in ${hours} simulated hours, ${seconds} s`)
  return failures > 0
}

/** The same by several processes, each with a part. */
async function share(): Promise<boolean> {
  const size = Math.ceil(seeds / jobs)
  const parts = Array.from({ length: jobs }, (_, index) => ({
    from: from + index * size,
    seeds: Math.min(size, seeds - index * size),
  })).filter((part) => part.seeds > 0)
  const more = [...(values.bug ? ['--bug', values.bug] : []), ...(values.keep ? ['--keep'] : [])]
  const codes = parts.map((part) => {
    const given = ['--from', String(part.from), '--seeds', String(part.seeds), '--jobs', '1', ...more]
    const child = spawn(process.execPath, [import.meta.filename, ...given], { stdio: 'inherit' })
    return new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
  })
  return (await Promise.all(codes)).some((code) => code !== 0)
}
