import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { relative } from '../output/time.ts'
import { agentSetupCommand } from './agent-setup.ts'
import { define, family } from './define.ts'
import { describeDeployment, describeExplanation } from './describe-deployment.ts'
import { destroy } from './destroy.ts'
import { keyValues } from './key-values.ts'

const collect = (value: string, all: string[]) => [...all, value]

export function deploymentCommands(program: Command, world: World): void {
  const deployments = family(program, 'deployments', "Installations of a project in customers' environments")
  agentSetupCommand(deployments, world)
  define<{
    group?: string
    channel: string
    model: string
    platform: string
    environment: string[]
    input: string[]
    secret: string[]
  }>(deployments, world, {
    name: 'create',
    summary: 'Create a deployment; it is set up and brought to the newest release of its channel',
    examples: [
      'deployments create acme --group ring-1',
      'deployments create initech --model airgapped',
      'deployments create acme --input region=eu --secret stripe-key=@./stripe.key',
    ],
    configure: (command) =>
      command
        .argument('<name>', 'how people call it')
        .option('--group <name>', 'deployment group')
        .option('--channel <name>', 'channel to follow', 'stable')
        .option(
          '--model <name>',
          'who runs it: push (this manager), pull (an agent), airgapped (an agent without network)',
          'push',
        )
        .option('--platform <name>', 'where it lives', 'local')
        .option('--environment <key=value>', "the environment's address, such as directory=/srv/acme", collect, [])
        .option('--input <key=value>', 'an input', collect, [])
        .option('--secret <name=value>', "a secret's value, or @FILE to read it", collect, []),
    async run(context, [name = ''], options) {
      const created = await context.client().createDeployment({
        params: { project: context.project() },
        body: {
          name,
          channel: options.channel,
          model: options.model as 'push',
          platform: options.platform as 'local',
          environment: keyValues(options.environment, context.directory),
          inputs: keyValues(options.input, context.directory),
          secrets: keyValues(options.secret, context.directory),
          ...(options.group && { group: options.group }),
        },
      })
      context.output.data(
        created,
        (item) => `${item.name} (${item.id}) follows ${item.channel}. ${item.reason.message}`,
      )
      context.output.next(
        created.model === 'push' ? `landfall deployments explain ${name}` : `landfall deployments agent-setup ${name}`,
      )
    },
  })
  define<{ group?: string; health?: string }>(deployments, world, {
    name: 'ls',
    summary: 'Who runs what, how far behind, and what each one waits for',
    examples: ['deployments ls', 'deployments ls --group ring-1 --json'],
    configure: (command) =>
      command
        .option('--group <name>', 'only this group')
        .option('--health <state>', 'healthy, degraded, failed or unknown'),
    async run(context, _args, options) {
      const result = await context.client().listDeployments({
        params: { project: context.project() },
        query: {
          limit: 500,
          ...(options.group && { group: options.group }),
          ...(options.health && { health: options.health as 'healthy' }),
        },
      })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No deployment yet. Create one with `landfall deployments create NAME`.'
          : context.output.table(items, [
              { title: 'deployment', value: (item) => item.name },
              { title: 'group', value: (item) => item.group ?? '–' },
              { title: 'model', value: (item) => item.model },
              { title: 'version', value: (item) => item.actual?.version ?? 'none yet' },
              {
                title: 'behind',
                value: (item) => (item.versionsBehind > 0 ? String(item.versionsBehind) : ''),
                align: 'right',
              },
              { title: 'health', value: (item) => item.health },
              { title: 'seen', value: (item) => relative(item.lastSeenAt) },
              { title: 'state', value: (item) => item.reason.message, shrink: 1 },
            ]),
      )
    },
  })
  const one = (command: Command) => command.argument('<deployment>', 'name or id')
  define(deployments, world, {
    name: 'show',
    summary: 'Target and actual, resources, workers and conditions of one deployment',
    examples: ['deployments show acme'],
    configure: one,
    async run(context, [deployment = '']) {
      const detail = await context.client().getDeployment({ params: { project: context.project(), deployment } })
      context.output.data(detail, (item) => describeDeployment(item, context.output))
    },
  })
  define(deployments, world, {
    name: 'explain',
    summary: 'Why is it not on the newest release? Exit code 3 when it waits for a person',
    examples: ['deployments explain acme'],
    configure: one,
    async run(context, [deployment = '']) {
      const explanation = await context
        .client()
        .explainDeployment({ params: { project: context.project(), deployment } })
      context.output.data(explanation, (item) => describeExplanation(item, context.output))
      if (explanation.checks.some((check) => check.status === 'blocked')) throw new Exit(exitCodes.waits)
    },
  })
  define<{ release: string }>(deployments, world, {
    name: 'pin',
    summary: 'Hold a deployment on one release, away from its channel',
    examples: ['deployments pin acme --release 1.3.2', 'deployments pin acme --release none'],
    configure: (command) =>
      one(command).requiredOption('--release <version>', 'version, or none to follow the channel again'),
    async run(context, [deployment = ''], options) {
      const pin = options.release === 'none' ? null : options.release
      const after = await context
        .client()
        .updateDeployment({ params: { project: context.project(), deployment }, body: { pin } })
      context.output.data(after, (item) =>
        item.pinned ? `${item.name} is pinned to ${item.pinned}.` : `${item.name} follows ${item.channel} again.`,
      )
    },
  })
  define<{ group?: string; channel?: string }>(deployments, world, {
    name: 'move',
    summary: 'Move a deployment to another group or channel',
    examples: ['deployments move acme --group ring-2', 'deployments move acme --channel beta'],
    configure: (command) =>
      one(command).option('--group <name>', 'group, or none').option('--channel <name>', 'channel'),
    async run(context, [deployment = ''], options) {
      const after = await context.client().updateDeployment({
        params: { project: context.project(), deployment },
        body: {
          ...(options.group && { group: options.group === 'none' ? null : options.group }),
          ...(options.channel && { channel: options.channel }),
        },
      })
      context.output.data(
        after,
        (item) => `${item.name} is in ${item.group ?? 'no group'} and follows ${item.channel}.`,
      )
    },
  })
  define<{ release: string }>(deployments, world, {
    name: 'setup',
    summary: 'Apply the reviewed setup of a release: its frozen resources, grants and roles',
    examples: ['deployments setup acme --release 1.4.0'],
    configure: (command) => one(command).requiredOption('--release <version>', 'the release whose setup was reviewed'),
    async run(context, [deployment = ''], options) {
      const after = await context
        .client()
        .setupDeployment({ params: { project: context.project(), deployment }, body: { release: options.release } })
      context.output.data(after, (item) => `${item.name}: ${item.reason.message}`)
    },
  })
  for (const kind of ['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry'] as const) {
    define<{ reason?: string }>(deployments, world, {
      name: kind,
      summary: `${kind === 'promote-full' ? 'Promote without further checks' : kind.charAt(0).toUpperCase() + kind.slice(1)} what moves in one deployment`,
      examples: [`deployments ${kind} acme`],
      configure: (command) => one(command).option('--reason <text>', 'kept in the audit log'),
      async run(context, [deployment = ''], options) {
        const after = await context.client().controlDeployment({
          params: { project: context.project(), deployment },
          body: { kind, ...(options.reason && { reason: options.reason }) },
        })
        context.output.data(after, (item) => `${item.name}: ${item.reason.message}`)
      },
    })
  }
  define<{ yes?: boolean }>(deployments, world, {
    name: 'delete',
    summary: 'Destroy a deployment and everything it made in its environment',
    examples: ['deployments delete acme --yes'],
    configure: (command) => one(command).option('--yes', 'do not ask'),
    run: (context, [deployment = ''], options) => destroy(context, deployment, options.yes),
  })
}
