import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { readKey } from '../keys/key-store.ts'
import { publishRelease } from '../publish/publish-release.ts'
import { readPlan } from './channels.ts'
import { define } from './define.ts'
import { watchRollout } from './watch-rollout.ts'

export function releaseCommand(program: Command, world: World): void {
  define<{ version: string; channel: string; plan?: string; rollout: boolean; watch?: boolean; directory?: string }>(
    program,
    world,
    {
      name: 'release',
      summary: 'Build, sign and publish a release, and roll it out by its channel’s plan',
      examples: [
        'release --version 1.4.0',
        'release --version 1.5.0-beta.1 --channel beta --watch',
        'release --version 1.4.1 --no-rollout --json',
      ],
      configure: (command) =>
        command
          .requiredOption('--version <version>', 'what people call it')
          .option('--channel <name>', 'the stream it goes to', 'stable')
          .option('--plan <file>', "a fleet plan instead of the channel's")
          .option('--directory <dir>', 'where landfall.config.ts is')
          .option('--no-rollout', 'publish only')
          .option('--watch', 'follow the rollout to its end'),
      async run(context, _args, options) {
        const client = context.client()
        const project = context.project()
        const result = await publishRelease({
          client,
          project,
          directory: options.directory ?? context.directory,
          version: options.version,
          channel: options.channel,
          signer: await readKey(context.environment, project, 'vendor'),
          rollout: options.rollout,
          ...(options.plan && { plan: readPlan(options.plan, context.directory) }),
          now: Date.now(),
          progress: (step) => context.output.say(`  ${step.message}`),
        })
        if (!(options.watch && context.output.json)) {
          context.output.data(result, ({ release }) => `${release.version} is published: ${release.digest}`)
        }
        if (!result.rollout) return
        if (options.watch) await watchRollout(context, client, project, result.rollout)
        else context.output.next(`landfall rollouts watch ${result.rollout}`)
      },
    },
  )
}
