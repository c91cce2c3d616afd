import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { confirm } from './confirm.ts'
import { define } from './define.ts'

export function rollbackCommand(program: Command, world: World): void {
  define<{ to?: string; reason?: string; yes?: boolean }>(program, world, {
    name: 'rollback',
    summary: 'Take one deployment back to a release it ran before, and pin it there',
    examples: ['rollback acme', 'rollback acme --to 1.3.2 --reason "VAT rounding" --yes'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--to <release>', 'version (the previous one by default)')
        .option('--reason <text>', 'kept in the audit log')
        .option('--yes', 'do not ask'),
    async run(context, [deployment = ''], options) {
      const params = { project: context.project(), deployment }
      const client = context.client()
      const before = await client.getDeployment({ params })
      await confirm(
        context,
        `${before.name} runs ${before.actual?.version ?? 'nothing'}; it goes back to ${options.to ?? 'the release before'} and stays pinned there.`,
        'Roll 1 deployment back',
        options.yes,
      )
      const after = await client.rollbackDeployment({
        params,
        body: { ...(options.to && { to: options.to }), ...(options.reason && { reason: options.reason }) },
      })
      context.output.data(after, (item) => `${item.name} is going back to ${item.target?.version ?? item.pinned}.`)
      context.output.next(`landfall deployments pin ${deployment} --release none   (to follow its channel again)`)
    },
  })
}
