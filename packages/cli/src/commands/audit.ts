import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { define, family } from './define.ts'

export function auditCommands(program: Command, world: World): void {
  const audit = family(program, 'audit', 'What was done, in a chain that can be checked')
  define<{ limit: string }>(audit, world, {
    name: 'ls',
    summary: 'Entries, newest first: of the project, or of one deployment',
    examples: ['audit ls', 'audit ls acme --limit 200 --json'],
    configure: (command) => command.argument('[deployment]', 'name or id').option('--limit <n>', 'how many', '50'),
    async run(context, [deployment], options) {
      const project = context.project()
      const query = { limit: Number(options.limit) }
      const result = deployment
        ? await context.client().listDeploymentAudit({ params: { project, deployment }, query })
        : await context.client().listAudit({ params: { project }, query })
      context.output.data(
        result,
        ({ items }) =>
          items.map((item) => `${item.at}  ${item.actor}  ${item.type}  ${item.message}`).join('\n') || 'Nothing yet.',
      )
    },
  })
  define(audit, world, {
    name: 'verify',
    summary: "Recompute a deployment's chain and check its checkpoints; exit code 1 when it does not hold",
    examples: ['audit verify acme', 'audit verify acme --json'],
    configure: (command) => command.argument('<deployment>', 'name or id'),
    async run(context, [deployment = '']) {
      const result = await context.client().verifyAudit({ params: { project: context.project(), deployment } })
      context.output.data(result, (item) =>
        item.ok
          ? `${item.entries} entries, unbroken. Head ${item.head}; ${item.checkpoints.length} checkpoints hold.`
          : `Broken at entry ${item.broken?.number}: ${item.broken?.message}`,
      )
      if (!result.ok) throw new Exit(exitCodes.failed)
    },
  })
}
