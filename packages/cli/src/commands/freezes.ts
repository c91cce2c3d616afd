import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'

export function freezeCommands(program: Command, world: World): void {
  const freezes = family(program, 'freezes', 'Times in which no deployment starts on a release')
  define(freezes, world, {
    name: 'ls',
    summary: 'Freezes in force',
    examples: ['freezes ls'],
    async run(context) {
      const result = await context.client().listFreezes({ params: { project: context.project() } })
      context.output.data(
        result,
        ({ items }) =>
          items
            .map(
              (item) =>
                `${item.id}  until ${item.until ?? 'lifted'}  ${item.reason} (${item.createdBy}, ${relative(item.createdAt)})`,
            )
            .join('\n') || 'Nothing is frozen.',
      )
    },
  })
  define<{ reason: string; until?: string }>(freezes, world, {
    name: 'create',
    summary: 'Hold every new start until a time, or until lifted',
    examples: ['freezes create --reason "Black Friday" --until 2026-11-28T00:00:00Z'],
    configure: (command) =>
      command.requiredOption('--reason <text>', 'shown to everyone who waits').option('--until <time>', 'ISO 8601'),
    async run(context, _args, options) {
      const result = await context.client().createFreeze({
        params: { project: context.project() },
        body: { reason: options.reason, ...(options.until && { until: options.until }) },
      })
      context.output.data(result, (item) => `${item.id}: frozen until ${item.until ?? 'lifted'}.`)
    },
  })
  define(freezes, world, {
    name: 'lift',
    summary: 'Lift a freeze',
    examples: ['freezes lift frz_8c2k1m4p'],
    configure: (command) => command.argument('<freeze>', 'id'),
    async run(context, [id = '']) {
      await context.client().liftFreeze({ params: { project: context.project(), id } })
      context.output.data({ lifted: id }, () => `${id} is lifted.`)
    },
  })
}
