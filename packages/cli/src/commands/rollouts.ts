import type { Client } from '@landfall/contract'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { readPlan } from './channels.ts'
import { confirm } from './confirm.ts'
import { define, family } from './define.ts'
import { describeRollout, watchRollout } from './watch-rollout.ts'

const controls = [
  ['pause', 'Hold a rollout where it is', 'Pauses'],
  ['resume', 'Go on with a paused rollout', 'Resumes'],
  ['promote', 'Skip the current step or pause and go on', 'Promotes'],
  ['promote-full', 'Skip all that is left: every step, pause and analysis', 'Promotes without further checks'],
  ['abort', 'Stop a rollout; reached deployments go back by the plan', 'Aborts'],
  ['retry', 'Start an aborted rollout again at its first wave', 'Retries'],
] as const

/** A rollout by id; without one, the newest. */
async function resolve(client: Client, project: string, id: string | undefined): Promise<string> {
  if (id) return id
  const { items } = await client.listRollouts({ params: { project }, query: { limit: 1 } })
  return items[0]?.id ?? 'none'
}

export function rolloutCommands(program: Command, world: World): void {
  const rollouts = family(program, 'rollouts', 'Rollouts of releases over deployments')
  define<{ active?: boolean; limit: string }>(rollouts, world, {
    name: 'ls',
    summary: 'Rollouts, newest first',
    examples: ['rollouts ls', 'rollouts ls --active'],
    configure: (command) => command.option('--active', 'only those under way').option('--limit <n>', 'how many', '20'),
    async run(context, _args, options) {
      const result = await context.client().listRollouts({
        params: { project: context.project() },
        query: { limit: Number(options.limit), ...(options.active && { active: 'true' }) },
      })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No rollout yet. `landfall release` starts one.'
          : context.output.table(items, [
              { title: 'rollout', value: (item) => item.id },
              { title: 'version', value: (item) => item.version },
              { title: 'phase', value: (item) => item.phase },
              { title: 'wave', value: (item) => `${Math.min(item.wave + 1, item.waves.length)}/${item.waves.length}` },
              { title: 'started', value: (item) => relative(item.createdAt) },
              { title: 'state', value: (item) => item.reason.message, shrink: 1 },
            ]),
      )
    },
  })
  define(rollouts, world, {
    name: 'show',
    summary: 'A rollout with its waves, deployments and decisions (the newest by default)',
    examples: ['rollouts show', 'rollouts show roll_4k2j9x7m'],
    configure: (command) => command.argument('[rollout]', 'id'),
    async run(context, [id]) {
      const client = context.client()
      const project = context.project()
      const rollout = await client.getRollout({ params: { project, rollout: await resolve(client, project, id) } })
      context.output.data(rollout, (item) => describeRollout(item, context.output))
    },
  })
  define(rollouts, world, {
    name: 'watch',
    summary: 'Follow a rollout to its end; exit code 4 when it went back, 3 when it waits for a person',
    examples: ['rollouts watch', 'rollouts watch roll_4k2j9x7m --json'],
    configure: (command) => command.argument('[rollout]', 'id'),
    async run(context, [id]) {
      const client = context.client()
      const project = context.project()
      await watchRollout(context, client, project, await resolve(client, project, id))
    },
  })
  define<{ release: string; plan?: string; watch?: boolean }>(rollouts, world, {
    name: 'create',
    summary: 'Roll a published release out, by its channel’s plan or another',
    examples: ['rollouts create --release 1.4.0', 'rollouts create --release 1.4.0 --plan careful.json --watch'],
    configure: (command) =>
      command
        .requiredOption('--release <version>', 'version or digest')
        .option('--plan <file>', "a fleet plan instead of the channel's")
        .option('--watch', 'follow it to its end'),
    async run(context, _args, options) {
      const client = context.client()
      const project = context.project()
      const made = await client.createRollout({
        params: { project },
        body: { release: options.release, ...(options.plan && { plan: readPlan(options.plan, context.directory) }) },
      })
      if (options.watch) return watchRollout(context, client, project, made.id)
      context.output.data(made, (item) => `${item.id}: ${item.version} begins.`)
      context.output.next(`landfall rollouts watch ${made.id}`)
    },
  })
  for (const [kind, summary, verb] of controls) {
    define<{ reason?: string; yes?: boolean }>(rollouts, world, {
      name: kind,
      summary,
      examples: [`rollouts ${kind}`, `rollouts ${kind} roll_4k2j9x7m --reason "checkout errors" --yes`],
      configure: (command) =>
        command
          .argument('[rollout]', 'id (the newest by default)')
          .option('--reason <text>', 'kept in the audit log')
          .option('--yes', 'do not ask'),
      async run(context, [id], options) {
        const client = context.client()
        const project = context.project()
        const rollout = await resolve(client, project, id)
        const before = await client.getRollout({ params: { project, rollout } })
        const moving = before.members.filter((member) => member.status === 'in-flight').length
        if (kind === 'abort' || kind === 'promote-full') {
          const reached = before.members.filter((member) => ['in-flight', 'succeeded'].includes(member.status)).length
          await confirm(
            context,
            `${verb} the rollout of ${before.version}: ${reached} deployments were reached, ${moving} are on the way.`,
            kind === 'abort' ? `Abort on ${reached} deployments` : `Promote on ${before.members.length} deployments`,
            options.yes,
          )
        }
        const after = await client.controlRollout({
          params: { project, rollout },
          body: { kind, ...(options.reason && { reason: options.reason }) },
        })
        context.output.data(after, (item) => `${item.version}: ${item.reason.message}`)
        context.output.next(`landfall rollouts watch ${rollout}`)
      },
    })
  }
}
