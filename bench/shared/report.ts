import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

/** One figure that a benchmark came to, and what was asked for; `met` null: nothing was asked for. */
export interface Figure {
  what: string
  measured: number
  unit: string
  target: string
  met: boolean | null
}

/** Where and when a benchmark ran. */
export function origin(): { date: string; commit: string; machine: string } {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform}, Node ${process.versions.node}`
  return { date: new Date().toISOString().slice(0, 10), commit, machine }
}

/** Prints figures as a table, and as the last line everything as JSON. */
export function report(bench: string, title: string, figures: readonly Figure[], details: object): void {
  console.log(`${title}\n`)
  printFigures(figures)
  console.log(`\n${JSON.stringify({ bench, ...origin(), figures, ...details })}`)
}

export function printFigures(figures: readonly Figure[]): void {
  const lines = figures.map(({ what, measured, unit, target, met }) => [
    what,
    `${rounded(measured)} ${unit}`.trim(),
    target || '-',
    met === null ? '' : met ? 'met' : 'MISSED',
  ])
  const all = [['', 'measured', 'target', ''], ...lines]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)) + 2)
  for (const line of all)
    console.log(
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('')
        .trimEnd(),
    )
}

/** To three digits that mean something. */
export const rounded = (value: number): number => (value >= 1000 ? Math.round(value) : Number(value.toPrecision(3)))

/** The one in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2
}
