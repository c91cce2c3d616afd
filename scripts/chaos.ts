import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chaos } from '../test/chaos/run/chaos.ts'
import { sum, table } from '../test/chaos/run/report.ts'

/**
 * `npm run chaos`: kills manager, agents, host daemon and PostgreSQL at each of their durable mutations and checks the end.
 *
 * - `--only push-update,site-import/agent`: these scenarios, or one process of one
 * - `--rotate N/M`: the N-th of M parts
 * - `--minutes N`: begins no run after so long
 * - `--runs N`: at most so many for one process of one scenario
 * - `--kills N`: so many in one run, each at another point (6); 1 shows a culprit alone
 * - `--occurrences N`: tells the first N times apart that the same code writes the same (1)
 * - `--sample N`: PostgreSQL is killed at every N-th point of the manager (4)
 * - `--json FILE`: the report for machines
 *
 * Ends with 1 when something went wrong, with 2 when not everything was covered.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rotate: { type: 'string' },
    minutes: { type: 'string' },
    runs: { type: 'string' },
    kills: { type: 'string', default: '6' },
    occurrences: { type: 'string', default: '1' },
    sample: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
})
const [part = 1, of = 1] = (values.rotate ?? '1/1').split('/').map(Number)
const rows = await chaos({
  only: values.only.split(',').filter(Boolean),
  rotate: values.rotate ? { part, of } : null,
  budgetMs: values.minutes ? Number(values.minutes) * 60_000 : null,
  runs: values.runs ? Number(values.runs) : Number.POSITIVE_INFINITY,
  kills: Number(values.kills),
  occurrences: Number(values.occurrences),
  sample: Number(values.sample),
  say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
})
console.log(`\n${table(rows)}`)
for (const row of rows) {
  for (const { killed, problems } of row.failures) {
    console.log(
      `\nWRONG ${row.scenario} ${row.victim}\n  ${problems.join('\n  ')}\n  killed at\n  ${killed.join('\n  ')}`,
    )
  }
  for (const death of row.missed) console.log(`not covered: ${row.scenario} ${row.victim} ${death}`)
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
const wrong = rows.some((row) => row.failures.length > 0)
process.exitCode = wrong ? 1 : sum(rows, 'covered') < sum(rows, 'total') ? 2 : 0
