import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'

export function userCommands(program: Command, world: World): void {
  const users = family(program, 'users', 'People and their roles')
  define(users, world, {
    name: 'ls',
    summary: 'People of the project with their roles; --all: of this whole Landfall',
    examples: ['users ls', 'users ls --all'],
    configure: (command) => command.option('--all', 'everyone (operators only)'),
    async run(context, _args, options: { all?: boolean }) {
      if (options.all) {
        const result = await context.client().listUsers({})
        context.output.data(result, ({ items }) =>
          context.output.table(items, [
            { title: 'email', value: (item) => item.email },
            { title: 'name', value: (item) => item.name },
            { title: 'operator', value: (item) => (item.operator ? 'yes' : '') },
            { title: 'seen', value: (item) => relative(item.lastSeenAt) },
          ]),
        )
        return
      }
      const result = await context.client().listMembers({ params: { project: context.project() } })
      context.output.data(result, ({ items }) =>
        context.output.table(items, [
          { title: 'email', value: (item) => item.user.email },
          { title: 'role', value: (item) => item.role },
          { title: 'seen', value: (item) => relative(item.user.lastSeenAt) },
        ]),
      )
    },
  })
  define<{ name?: string; operator?: boolean }>(users, world, {
    name: 'invite',
    summary: 'Invite a person; prints the one-time link',
    examples: ['users invite ada@example.com --name "Ada L."'],
    configure: (command) =>
      command
        .argument('<email>', 'address')
        .option('--name <text>', 'name')
        .option('--operator', 'may run this Landfall'),
    async run(context, [email = ''], options) {
      const result = await context
        .client()
        .inviteUser({ body: { email, name: options.name ?? email, ...(options.operator && { operator: true }) } })
      context.output.data(
        result,
        (item) => `Give ${item.user.email} this link; it works once, for 72 hours:\n${item.link}`,
      )
    },
  })
  define(users, world, {
    name: 'role',
    summary: 'Give a person a role in the project: admin, developer or viewer',
    examples: ['users role ada@example.com developer'],
    configure: (command) => command.argument('<user>', 'email or id').argument('<role>', 'admin, developer or viewer'),
    async run(context, [user = '', role = '']) {
      const result = await context
        .client()
        .setMember({ params: { project: context.project(), user }, body: { role: role as 'viewer' } })
      context.output.data(result, (item) => `${item.user.email} is ${item.role}.`)
    },
  })
  define(users, world, {
    name: 'remove',
    summary: 'Take a person off the project',
    examples: ['users remove ada@example.com'],
    configure: (command) => command.argument('<user>', 'email or id'),
    async run(context, [user = '']) {
      await context.client().removeMember({ params: { project: context.project(), user } })
      context.output.data({ removed: user }, () => `${user} is off the project.`)
    },
  })
}
