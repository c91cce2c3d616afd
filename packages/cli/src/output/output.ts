import { LandfallError } from '@landfall/stack'
import { createStyle, type Style } from './style.ts'
import { type Column, table } from './table.ts'

/** Where a command speaks. With `--json` only `data` and `event` print, to stdout; words go nowhere. */
export interface Output {
  json: boolean
  verbose: boolean
  /** A person can answer and a live block can be drawn. */
  interactive: boolean
  style: Style
  /** The command's result; JSON as one document, else the words that `render` makes of it. */
  data<T>(value: T, render: (value: T) => string): void
  /** One event of a stream: a line of NDJSON, else the words. */
  event<T>(value: T, render: (value: T) => string): void
  say(text: string): void
  /** What to do next: the last line. */
  next(text: string): void
  detail(text: string): void
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string
  error(error: unknown): void
}

export interface Streams {
  out: { write(text: string): unknown; isTTY?: boolean; columns?: number }
  err: { write(text: string): unknown; isTTY?: boolean }
}

export function createOutput(
  streams: Streams,
  options: { json: boolean; verbose: boolean; environment: Record<string, string | undefined> },
): Output {
  const style = createStyle(streams.out, options.environment)
  const line = (text: string) => {
    if (!options.json) streams.out.write(`${text}\n`)
  }
  return {
    json: options.json,
    verbose: options.verbose,
    interactive: streams.out.isTTY === true && !options.json && !options.environment.CI,
    style,
    data: (value, render) => streams.out.write(`${options.json ? JSON.stringify(value, null, 2) : render(value)}\n`),
    event: (value, render) => streams.out.write(`${options.json ? JSON.stringify(value) : render(value)}\n`),
    say: line,
    next: (text) => line(`${style('dim', '→')} ${text}`),
    detail: (text) => {
      if (options.verbose) line(style('dim', text))
    },
    table: (rows, columns) => table(rows, columns, streams.out.columns ?? 120),
    error: (error) => streams.err.write(`${describe(error, options, createStyle(streams.err, options.environment))}\n`),
  }
}

function describe(error: unknown, options: { json: boolean; verbose: boolean }, style: Style): string {
  const known = error instanceof LandfallError ? error : null
  if (options.json) {
    const { code, message, hint, problems } = known ?? {
      code: 'E_UNEXPECTED',
      message: String(error),
      hint: '',
      problems: [],
    }
    return JSON.stringify({ error: { code, message, hint, problems } })
  }
  if (!known) {
    const text = error instanceof Error ? (options.verbose ? error.stack : error.message) : String(error)
    return `${style('red', '✗')} ${text}\n  This is a defect of Landfall: please report it, with --verbose.\n  E_UNEXPECTED`
  }
  const problems = known.problems.slice(0, 20).map((problem) => `  ${problem.path}: ${problem.message}`)
  const cause = options.verbose && known.cause ? [`  cause: ${known.cause}`] : []
  return [
    `${style('red', '✗')} ${known.message}`,
    ...problems,
    `  ${known.hint}`,
    ...cause,
    style('dim', `  ${known.code} · docs/errors/${known.code}.md`),
  ].join('\n')
}
