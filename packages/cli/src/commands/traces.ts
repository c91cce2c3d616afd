import type { Client } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { define } from './define.ts'

type Trace = Awaited<ReturnType<Client['getTrace']>>
interface Options {
  worker?: string
  release?: string
  minDuration?: string
  errors?: boolean
  minutes: string
  limit: string
}

export function tracesCommand(program: Command, world: World): void {
  define<Options>(program, world, {
    name: 'traces',
    summary: "A deployment's traces, or the spans of one",
    examples: [
      'traces acme --errors',
      'traces acme --worker api --min-duration 500',
      'traces acme 0af7651916cd43dd8448eb211c80319c',
    ],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .argument('[trace]', 'id of a trace, as log lines and the list show it')
        .option('--worker <name>', 'that this worker had a part in')
        .option('--release <version>', 'that this version had a part in')
        .option('--min-duration <ms>', 'that took this long or longer')
        .option('--errors', 'in which something failed')
        .option('--minutes <n>', 'how far back', '60')
        .option('--limit <n>', 'how many', '30'),
    async run(context, [deployment = '', trace], options) {
      const params = { project: context.project(), deployment }
      if (trace === undefined) return list(context, params, options)
      if (!/^[0-9a-f]{32}$/i.test(trace)) throw notATrace(trace)
      const found = await context.client().getTrace({ params: { ...params, trace: trace.toLowerCase() } })
      context.output.data(found, (value) => treeOf(context, value))
    },
  })
}

async function list(
  context: Context,
  params: { project: string; deployment: string },
  options: Options,
): Promise<void> {
  const page = await context.client().listTraces({
    params,
    query: {
      limit: Number(options.limit),
      since: new Date(Date.now() - Number(options.minutes) * 60_000).toISOString(),
      ...(options.worker && { worker: options.worker }),
      ...(options.release && { version: options.release }),
      ...(options.minDuration && { minDurationMs: Number(options.minDuration) }),
      ...(options.errors && { errors: 'true' as const }),
    },
  })
  const { style, table } = context.output
  context.output.data(page, ({ items }) =>
    items.length === 0
      ? 'No traces in this time.'
      : table(items, [
          { title: 'began', value: (item) => item.at },
          { title: 'took', value: (item) => duration(item.durationMs), align: 'right' },
          { title: 'spans', value: (item) => String(item.spans), align: 'right' },
          {
            title: 'failed',
            value: (item) => (item.errors === 0 ? '–' : style('red', String(item.errors))),
            align: 'right',
          },
          { title: 'workers', value: (item) => item.workers.join(' ') },
          { title: 'versions', value: (item) => item.versions.join(' ') },
          { title: 'name', value: (item) => item.name, shrink: 1 },
          { title: 'trace', value: (item) => item.trace },
        ]),
  )
  const [first] = page.items
  if (first) context.output.next(`landfall traces ${params.deployment} ${first.trace}`)
}

function treeOf({ output }: Context, trace: Trace): string {
  const { style } = output
  const head = `${trace.name} · ${duration(trace.durationMs)} · ${trace.at}`
  const rows = output.table(trace.items, [
    {
      title: 'span',
      value: (item) => {
        const text = `${'  '.repeat(Math.min(item.depth, 20))}${item.name}`
        return item.status === 'error' ? style('red', `${text} ✗ ${item.message ?? ''}`.trimEnd()) : text
      },
      shrink: 1,
    },
    { title: 'worker', value: (item) => `${item.worker ?? '–'} ${item.version ?? ''}`.trimEnd() },
    { title: 'at', value: (item) => `+${duration(item.offsetMs)}`, align: 'right' },
    { title: 'took', value: (item) => duration(item.durationMs), align: 'right' },
    { title: '', value: (item) => bar(item.offsetMs, item.durationMs, trace.durationMs) },
  ])
  const lines = trace.logs.map((line) => `${style('dim', line.at)} ${line.worker ?? '–'} ${line.severity} ${line.body}`)
  return [
    head,
    rows,
    ...(trace.cut ? ['It has more spans than are shown.'] : []),
    ...(lines.length > 0 ? ['', 'Log lines', ...lines] : []),
  ].join('\n')
}

const width = 24
/** Where in the trace a span lies. */
function bar(offsetMs: number, durationMs: number, wholeMs: number): string {
  const unit = wholeMs > 0 ? width / wholeMs : 0
  const from = Math.min(width - 1, Math.max(0, Math.floor(offsetMs * unit)))
  const length = Math.max(1, Math.min(width - from, Math.round(durationMs * unit)))
  return `${' '.repeat(from)}${'━'.repeat(length)}`.padEnd(width)
}

function duration(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(2)} ms`
}

function notATrace(given: string): LandfallError {
  return new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: `"${given}" is not the id of a trace.`,
    hint: 'It has 32 hexadecimal digits: take it from `landfall traces`, or from `trace` of a log line with --json.',
  })
}
