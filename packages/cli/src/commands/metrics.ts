import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { define } from './define.ts'

export function metricsCommand(program: Command, world: World): void {
  define<{ worker?: string; minutes: string }>(program, world, {
    name: 'metrics',
    summary: 'Requests, errors and latency per worker and version',
    examples: ['metrics acme', 'metrics acme --worker api --minutes 60 --json'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--worker <name>', 'only this worker')
        .option('--minutes <n>', 'how far back', '15'),
    async run(context, [deployment = ''], options) {
      const result = await context.client().getMetrics({
        params: { project: context.project(), deployment },
        query: {
          since: new Date(Date.now() - Number(options.minutes) * 60_000).toISOString(),
          ...(options.worker && { worker: options.worker }),
        },
      })
      context.output.data(result, ({ series }) =>
        series.length === 0
          ? 'No metrics in this time. Workers send them as soon as they serve requests.'
          : context.output.table(series, [
              { title: 'worker', value: (item) => item.worker },
              { title: 'version', value: (item) => item.version },
              { title: 'metric', value: (item) => item.metric },
              {
                title: 'newest',
                value: (item) =>
                  `${item.points.findLast(([, value]) => value !== null)?.[1]?.toPrecision(3) ?? '–'} ${item.unit}`,
                align: 'right',
              },
              { title: 'over time', value: (item) => sparkline(item.points.map(([, value]) => value)), shrink: 1 },
            ]),
      )
    },
  })
}

const blocks = '▁▂▃▄▅▆▇█'
/** The series as one line of blocks; gaps stay blank. */
function sparkline(values: readonly (number | null)[]): string {
  const recent = values.slice(-40)
  const top = Math.max(...recent.map((value) => value ?? 0), Number.MIN_VALUE)
  return recent
    .map((value) => (value === null ? ' ' : (blocks[Math.min(7, Math.floor((value / top) * 7.99))] ?? ' ')))
    .join('')
}
