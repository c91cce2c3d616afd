import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { relative } from '../output/time.ts'
import { inputOf } from './command-input.ts'
import { signCommandCommand } from './command-sign.ts'
import { define, family } from './define.ts'

export function commandCommand(program: Command, world: World): void {
  const commands = family(program, 'command', 'Named calls into a worker, with a schema, a deadline and a result')
  define<{ worker?: string; input?: string; deadline?: string; key?: string; detach?: boolean }>(commands, world, {
    name: 'run',
    summary: 'Send a command, show its output as it is written, and its result',
    examples: [
      'command run acme reindex',
      'command run acme api.reindex',
      `command run acme export --input '{"format":"csv"}'`,
      'command run acme reindex --detach --json',
    ],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .argument('<command>', 'name, or WORKER.COMMAND')
        .option('--worker <name>', 'where several workers have one of that name')
        .option('--input <json>', 'the input, or @FILE')
        .option('--deadline <seconds>', 'at most so long')
        .option('--key <text>', 'idempotency key: the same key runs it once')
        .option('--detach', 'do not wait'),
    async run(context, [deployment = '', name = ''], options) {
      const { worker, command } = namedIn(name, options.worker)
      const client = context.client()
      const project = context.project()
      let current = await client.sendCommand(
        {
          params: { project, deployment },
          body: {
            command,
            input: inputOf(options.input, context.directory),
            ...(worker && { worker }),
            ...(options.deadline && { deadlineSeconds: Number(options.deadline) }),
          },
        },
        options.key ? { idempotencyKey: options.key } : {},
      )
      let shown = 0
      while (!options.detach && (current.status === 'queued' || current.status === 'running')) {
        await sleep(250, undefined, { signal: context.signal })
        current = await client.getCommand({ params: { project, deployment, command: current.id } })
        if (!context.output.json && current.output.length > shown) world.streams.out.write(current.output.slice(shown))
        shown = current.output.length
      }
      context.output.data(current, (item) => {
        if (options.detach) return `${item.id} is ${item.status}.`
        if (item.status === 'succeeded') return `${item.command} succeeded.\n${JSON.stringify(item.result, null, 2)}`
        return `${item.command} ${item.status}: ${item.error?.message ?? ''} (${item.error?.code ?? item.status})`
      })
      if (options.detach) context.output.next(`landfall command show ${deployment} ${current.id}`)
      else if (current.status !== 'succeeded') throw new Exit(exitCodes.failed)
    },
  })
  signCommandCommand(commands, world)
  define(commands, world, {
    name: 'ls',
    summary: 'Commands sent to a deployment, newest first',
    examples: ['command ls acme'],
    configure: (command) => command.argument('<deployment>', 'name or id'),
    async run(context, [deployment = '']) {
      const result = await context
        .client()
        .listCommands({ params: { project: context.project(), deployment }, query: { limit: 50 } })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No command yet. Send one with `landfall command run`.'
          : context.output.table(items, [
              { title: 'id', value: (item) => item.id },
              { title: 'command', value: (item) => item.command },
              { title: 'status', value: (item) => (item.via === 'bundle' ? `${item.status}, by bundle` : item.status) },
              { title: 'by', value: (item) => item.createdBy, shrink: 1 },
              { title: 'sent', value: (item) => relative(item.createdAt) },
            ]),
      )
    },
  })
  define(commands, world, {
    name: 'show',
    summary: 'A command with its output and result',
    examples: ['command show acme cmd_7f3k2m9q'],
    configure: (command) => command.argument('<deployment>', 'name or id').argument('<command>', 'id'),
    async run(context, [deployment = '', command = '']) {
      const result = await context.client().getCommand({ params: { project: context.project(), deployment, command } })
      context.output.data(result, (item) =>
        [
          `${item.command}: ${item.status}${item.via === 'direct' ? '' : item.via === 'bundle' ? ', by bundle' : ', made at the site'}, attempt ${item.attempt}, sent ${relative(item.createdAt)} by ${item.createdBy}`,
          item.output,
          item.error ? `${item.error.code}: ${item.error.message}` : JSON.stringify(item.result, null, 2),
        ].join('\n'),
      )
    },
  })
  define(commands, world, {
    name: 'cancel',
    summary: 'Cancel a command',
    examples: ['command cancel acme cmd_7f3k2m9q'],
    configure: (command) => command.argument('<deployment>', 'name or id').argument('<command>', 'id'),
    async run(context, [deployment = '', command = '']) {
      const result = await context
        .client()
        .cancelCommand({ params: { project: context.project(), deployment, command } })
      context.output.data(result, (item) => `${item.id} is ${item.status}.`)
    },
  })
}

/** As `command sign` names it too. */
function namedIn(name: string, worker: string | undefined): { worker: string | undefined; command: string } {
  const dot = name.indexOf('.')
  if (worker !== undefined || dot < 1) return { worker, command: name }
  return { worker: name.slice(0, dot), command: name.slice(dot + 1) }
}
