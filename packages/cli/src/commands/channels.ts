import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { fleetPlan } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { World } from '../context/context.ts'
import { define, family } from './define.ts'

/** A fleet plan from a JSON file; the manager checks what it says. */
export function readPlan(file: string, directory: string): z.input<typeof fleetPlan> {
  try {
    return JSON.parse(readFileSync(resolve(directory, file), 'utf8'))
  } catch (cause) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: `${file} can't be read as a plan.`,
      hint: 'It is JSON such as {"waves":[{"name":"ring-1","groups":["ring-1"],"soak":"1h"},{"name":"all","share":100}]}.',
      cause,
    })
  }
}

export function channelCommands(program: Command, world: World): void {
  const channels = family(program, 'channels', 'Streams of releases, each with a plan of waves')
  define(channels, world, {
    name: 'ls',
    summary: 'Channels, their newest release and who follows them',
    examples: ['channels ls'],
    async run(context) {
      const result = await context.client().listChannels({ params: { project: context.project() } })
      context.output.data(result, ({ items }) =>
        context.output.table(items, [
          { title: 'channel', value: (item) => item.name },
          { title: 'newest', value: (item) => item.newest ?? '–' },
          { title: 'deployments', value: (item) => String(item.deployments), align: 'right' },
          { title: 'waves', value: (item) => item.plan.waves.map((wave) => wave.name).join(' → '), shrink: 1 },
        ]),
      )
    },
  })
  define<{ plan?: string; description?: string }>(channels, world, {
    name: 'set',
    summary: 'Make or change a channel and the plan of its rollouts',
    examples: ['channels set stable --plan plan.json', 'channels set beta --description "before everyone else"'],
    configure: (command) =>
      command
        .argument('<channel>', 'name')
        .option('--plan <file>', 'fleet plan as JSON')
        .option('--description <text>', 'what it is'),
    async run(context, [channel = ''], options) {
      const result = await context.client().putChannel({
        params: { project: context.project(), channel },
        body: {
          ...(options.plan && { plan: readPlan(options.plan, context.directory) }),
          ...(options.description !== undefined && { description: options.description }),
        },
      })
      context.output.data(result, (item) => `${item.name}: ${item.plan.waves.map((wave) => wave.name).join(' → ')}`)
    },
  })
  define(channels, world, {
    name: 'delete',
    summary: 'Delete a channel that no deployment follows',
    examples: ['channels delete beta'],
    configure: (command) => command.argument('<channel>', 'name'),
    async run(context, [channel = '']) {
      await context.client().deleteChannel({ params: { project: context.project(), channel } })
      context.output.data({ deleted: channel }, () => `${channel} is gone.`)
    },
  })
}
