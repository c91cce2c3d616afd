import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { define } from './define.ts'

export function metricsCommand(program: Command, world: World): void {
  define<{ worker?: string; minutes: string; metric?: string }>(program, world, {
    name: 'metrics',
    summary: "Requests, errors and latency per worker and version, or one of the workers' own metrics",
    examples: ['metrics acme', 'metrics acme --metric invoices.sent', 'metrics acme --worker api --minutes 60 --json'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--worker <name>', 'only this worker')
        .option('--metric <name>', "one of the workers' own metrics")
        .option('--minutes <n>', 'how far back', '15'),
    async run(context, [deployment = ''], options) {
      const result = await context.client().getMetrics({
        params: { project: context.project(), deployment },
        query: {
          since: new Date(Date.now() - Number(options.minutes) * 60_000).toISOString(),
          ...(options.worker && { worker: options.worker }),
          ...(options.metric && { metric: options.metric }),
        },
      })
      context.output.data(result, ({ series, more, dropped = [] }) =>
        [
          series.length === 0
            ? 'No metrics in this time. Workers send them as soon as they serve requests.'
            : tableOf(series),
          ...(more ? [`${more} more series are not shown: name a worker, or give the metric fewer attributes.`] : []),
          ...dropped.map(
            (drop) =>
              `${drop.records} points were not kept (${words[drop.reason] ?? drop.reason}), last at ${drop.lastAt}`,
          ),
        ].join('\n'),
      )
      const others = (result.metrics ?? []).map((each) => each.metric).filter((name) => name !== options.metric)
      if (others.length > 0) context.output.detail(`Own metrics: ${others.join(', ')}`)
      const [first] = others
      if (options.metric === undefined && first !== undefined) {
        context.output.next(`landfall metrics ${deployment} --metric ${first}`)
      }

      function tableOf(series: typeof result.series): string {
        return context.output.table(series, [
          { title: 'worker', value: (item) => item.worker },
          { title: 'version', value: (item) => item.version },
          { title: 'metric', value: (item) => [item.metric, item.shows].filter(Boolean).join(' ') },
          ...(options.metric
            ? [{ title: 'attributes', value: (item: (typeof series)[number]) => labelsOf(item.labels), shrink: 1 }]
            : []),
          {
            title: 'newest',
            value: (item) =>
              `${item.points.findLast(([, value]) => value !== null)?.[1]?.toPrecision(3) ?? '–'} ${item.unit}`,
            align: 'right',
          },
          { title: 'over time', value: (item) => sparkline(item.points.map(([, value]) => value)), shrink: 1 },
        ])
      }
    },
  })
}

const words: Record<string, string> = {
  names: 'more metrics than a deployment may have',
  series: 'more series than a deployment may have in an hour',
  unread: 'a kind of metric that is not stored',
}

const labelsOf = (labels: Record<string, unknown> = {}) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ')

const blocks = '▁▂▃▄▅▆▇█'
/** The series as one line of blocks; gaps stay blank. */
function sparkline(values: readonly (number | null)[]): string {
  const recent = values.slice(-40)
  const top = Math.max(...recent.map((value) => value ?? 0), Number.MIN_VALUE)
  return recent
    .map((value) => (value === null ? ' ' : (blocks[Math.min(7, Math.floor((value / top) * 7.99))] ?? ' ')))
    .join('')
}
