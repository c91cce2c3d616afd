import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'

export function tokenCommands(program: Command, world: World): void {
  const tokens = family(program, 'tokens', 'Tokens of machines, and your own')
  define<{ own?: boolean }>(tokens, world, {
    name: 'ls',
    summary: "The project's machine tokens; --own: your API tokens",
    examples: ['tokens ls', 'tokens ls --own'],
    configure: (command) => command.option('--own', 'your own'),
    async run(context, _args, options) {
      const result = options.own
        ? await context.client().listOwnTokens({})
        : await context.client().listTokens({ params: { project: context.project() } })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No token. Make one with `landfall tokens create`.'
          : context.output.table(items, [
              { title: 'id', value: (item) => item.id },
              { title: 'kind', value: (item) => item.kind },
              { title: 'name', value: (item) => item.name, shrink: 1 },
              { title: 'begins', value: (item) => `${item.prefix}…` },
              { title: 'used', value: (item) => relative(item.lastUsedAt) },
              { title: 'expires', value: (item) => (item.revokedAt ? 'revoked' : relative(item.expiresAt)) },
            ]),
      )
    },
  })
  define<{ kind: string; deployment?: string; days: string; own?: boolean }>(tokens, world, {
    name: 'create',
    summary: 'Issue a token; its secret is shown once',
    examples: ['tokens create github-actions --kind ci', 'tokens create laptop --own --days 30'],
    configure: (command) =>
      command
        .argument('<name>', 'what it is for')
        .option('--kind <kind>', 'ci, deployer or agent', 'ci')
        .option('--deployment <name>', 'for deployer and agent')
        .option('--days <n>', 'valid so long', '90')
        .option('--own', 'an API token for yourself'),
    async run(context, [name = ''], options) {
      const expiresInDays = Number(options.days)
      const result = options.own
        ? await context.client().createOwnToken({ body: { name, expiresInDays } })
        : await context.client().createToken({
            params: { project: context.project() },
            body: {
              name,
              kind: options.kind as 'ci',
              expiresInDays,
              ...(options.deployment && { deployment: options.deployment }),
            },
          })
      context.output.data(
        result,
        (item) =>
          `${item.secret}\n\nThis is shown once. It ${item.token.kind === 'user' ? 'acts as you' : `is a ${item.token.kind} token`} and expires ${relative(item.token.expiresAt)}.`,
      )
    },
  })
  define<{ own?: boolean }>(tokens, world, {
    name: 'revoke',
    summary: 'Revoke a token at once',
    examples: ['tokens revoke tok_3k8m2n5p'],
    configure: (command) => command.argument('<token>', 'id').option('--own', 'one of your own'),
    async run(context, [id = ''], options) {
      if (options.own) await context.client().revokeOwnToken({ params: { id } })
      else await context.client().revokeToken({ params: { project: context.project(), id } })
      context.output.data({ revoked: id }, () => `${id} is revoked.`)
    },
  })
}
