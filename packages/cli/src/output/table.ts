import { width } from './style.ts'

export interface Column<Row> {
  title: string
  value: (row: Row) => string
  align?: 'left' | 'right'
  /** Shortened first when the terminal is narrow; higher goes first. */
  shrink?: number
}

/** A table that fits `columns` characters; cells of shrinkable columns end in `…` where they must. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], available: number): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)))
  const widths = columns.map((column, index) =>
    Math.max(width(column.title), ...cells.map((row) => width(row[index] ?? ''))),
  )
  const gaps = 2 * (columns.length - 1)
  const order = columns
    .map((column, index) => ({ index, shrink: column.shrink ?? 0 }))
    .filter((item) => item.shrink > 0)
  order.sort((a, b) => b.shrink - a.shrink)
  for (const { index } of order) {
    const excess = widths.reduce((sum, value) => sum + value, gaps) - available
    if (excess <= 0) break
    widths[index] = Math.max(8, (widths[index] ?? 0) - excess)
  }
  const line = (values: readonly string[]) =>
    values
      .map((value, index) =>
        fit(value, widths[index] ?? 0, columns[index]?.align ?? 'left', index === columns.length - 1),
      )
      .join('  ')
      .trimEnd()
  return [line(columns.map((column) => column.title.toUpperCase())), ...cells.map(line)].join('\n')
}

function fit(text: string, target: number, align: 'left' | 'right', last: boolean): string {
  if (width(text) > target) return `${text.slice(0, Math.max(0, target - 1))}…`
  const padding = ' '.repeat(target - width(text))
  if (align === 'right') return padding + text
  return last ? text : text + padding
}
