import type { Covered } from './cover.ts'

/** The table that a person reads. */
export function table(rows: readonly Covered[]): string {
  const head = ['scenario', 'process', 'covered', 'total', 'sometimes', 'runs', 'kills', 'wrong', 'seconds']
  const body = rows.map((row) => [
    row.scenario,
    row.sample > 1 ? `${row.victim} (1 point in ${row.sample})` : row.victim,
    String(row.covered),
    String(row.total),
    row.sometimes === 0 ? '' : `${row.sometimesCovered} of ${row.sometimes}`,
    String(row.runs),
    String(row.kills),
    String(row.failures.length),
    (row.ms / 1000).toFixed(0),
  ])
  const all = sum(rows, 'total')
  const done = sum(rows, 'covered')
  const percent = all === 0 ? 0 : Math.floor((100 * done) / all)
  const foot = `covered / total = ${done} / ${all} = ${percent}%`
  return `| ${head.join(' | ')} |\n|${head.map(() => ' --- |').join('')}\n${body.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n\n${foot}`
}

/** What went wrong and what is left, one paragraph each. */
export function* details(rows: readonly Covered[]): Generator<string> {
  for (const row of rows) {
    for (const { killed, problems } of row.failures) {
      yield `WRONG ${row.scenario} ${row.victim}\n  ${problems.join('\n  ')}\n  killed at\n  ${killed.join('\n  ')}`
    }
    const { open, sometimesOpen } = row.deaths
    if (open.length > 0) yield `not covered: ${row.scenario} ${row.victim}\n  ${open.join('\n  ')}`
    if (sometimesOpen.length > 0) {
      yield `passed by some undisturbed runs only, not covered: ${row.scenario} ${row.victim}\n  ${sometimesOpen.join('\n  ')}`
    }
  }
}

export const sum = (rows: readonly Covered[], of: 'total' | 'covered' | 'kills' | 'runs') =>
  rows.reduce((all, row) => all + row[of], 0)
