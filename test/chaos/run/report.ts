import type { Covered } from './cover.ts'

/** The table that a person reads. */
export function table(rows: readonly Covered[]): string {
  const head = ['scenario', 'process', 'covered', 'total', 'runs', 'kills', 'wrong', 'seconds']
  const body = rows.map((row) => [
    row.scenario,
    row.victim,
    String(row.covered),
    String(row.total),
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

export const sum = (rows: readonly Covered[], of: 'total' | 'covered' | 'kills' | 'runs') =>
  rows.reduce((all, row) => all + row[of], 0)
