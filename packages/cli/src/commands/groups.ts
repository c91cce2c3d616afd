import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { define, family } from './define.ts'

export function groupCommands(program: Command, world: World): void {
  const groups = family(program, 'groups', 'Deployments that belong together: a customer, a ring')
  define(groups, world, {
    name: 'ls',
    summary: 'Groups with how many deployments they hold',
    examples: ['groups ls'],
    async run(context) {
      const result = await context.client().listGroups({ params: { project: context.project() } })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No group yet. Make one with `landfall groups set NAME`.'
          : context.output.table(items, [
              { title: 'group', value: (item) => item.name },
              { title: 'deployments', value: (item) => String(item.deployments), align: 'right' },
              { title: 'description', value: (item) => item.description, shrink: 1 },
            ]),
      )
    },
  })
  define<{ description?: string }>(groups, world, {
    name: 'set',
    summary: 'Make or describe a group',
    examples: ['groups set ring-1 --description "our own, then friends"'],
    configure: (command) => command.argument('<group>', 'name').option('--description <text>', 'what it is'),
    async run(context, [group = ''], options) {
      const result = await context.client().putGroup({
        params: { project: context.project(), group },
        body: options.description === undefined ? {} : { description: options.description },
      })
      context.output.data(result, (item) => `${item.name} holds ${item.deployments} deployments.`)
    },
  })
  define(groups, world, {
    name: 'delete',
    summary: 'Delete an empty group',
    examples: ['groups delete ring-1'],
    configure: (command) => command.argument('<group>', 'name'),
    async run(context, [group = '']) {
      await context.client().deleteGroup({ params: { project: context.project(), group } })
      context.output.data({ deleted: group }, () => `${group} is gone.`)
    },
  })
}
