import { parseArgs } from 'node:util'
import { chaos } from '../test/chaos/run/chaos.ts'
import { details, sum, table } from '../test/chaos/run/report.ts'
import { ReportFile } from '../test/chaos/run/report-file.ts'

/**
 * `npm run chaos`: kills manager, agents, host daemon and PostgreSQL at each of their durable mutations and checks the end.
 *
 * - `--only push-update,site-import/agent`: these scenarios, or one process of one
 * - `--rotate N/M`: the N-th of M parts
 * - `--jobs N`: so many worlds side by side, each with its own PostgreSQL (2)
 * - `--minutes N`: begins no run after so long
 * - `--runs N`: at most so many for one process of one scenario
 * - `--kills N`: so many in one run, each at another point (8); 1 shows a culprit alone
 * - `--recordings N`: undisturbed runs of a scenario: what all of them pass is the total (2)
 * - `--occurrences N`: tells the first N times apart that the same code writes the same (1)
 * - `--sample N`: PostgreSQL is killed at every N-th point of the manager (1)
 * - `--json FILE`: the report for machines, written after each run
 * - `--resume FILE`: the same, and what is in it of the same program is not done again
 *
 * Ends with 1 when something went wrong, with 2 when not everything was covered.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rotate: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    minutes: { type: 'string' },
    runs: { type: 'string' },
    kills: { type: 'string', default: '8' },
    recordings: { type: 'string', default: '2' },
    occurrences: { type: 'string', default: '1' },
    sample: { type: 'string', default: '1' },
    json: { type: 'string' },
    resume: { type: 'string' },
  },
})
const [part = 1, of = 1] = (values.rotate ?? '1/1').split('/').map(Number)
const path = values.resume ?? values.json
const file = path === undefined ? null : new ReportFile(path, values.resume !== undefined)
const rows = await chaos({
  only: values.only.split(',').filter(Boolean),
  rotate: values.rotate ? { part, of } : null,
  jobs: Number(values.jobs),
  budgetMs: values.minutes ? Number(values.minutes) * 60_000 : null,
  runs: values.runs ? Number(values.runs) : Number.POSITIVE_INFINITY,
  kills: Number(values.kills),
  recordings: Number(values.recordings),
  occurrences: Number(values.occurrences),
  sample: Number(values.sample),
  before: file?.ofThisProgram ?? [],
  progress: (row) => file?.put(row),
  say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
})
console.log(`\n${table(rows)}`)
for (const one of details(rows)) console.log(`\n${one}`)
const wrong = rows.some((row) => row.failures.length > 0)
process.exitCode = wrong ? 1 : rows.every((row) => row.done && row.covered === row.total) ? 0 : 2
console.log(`\n${sum(rows, 'kills')} kills in ${sum(rows, 'runs')} runs`)
