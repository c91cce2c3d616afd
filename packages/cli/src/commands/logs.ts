import type { Client, logLine } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { World } from '../context/context.ts'
import { define } from './define.ts'
import { followLogs } from './follow-logs.ts'

const colours = { trace: 'gray', debug: 'gray', info: 'white', warn: 'yellow', error: 'red', fatal: 'red' } as const
const severities = Object.keys(colours)

interface Options {
  follow?: boolean
  worker?: string
  release?: string
  severity?: string
  text?: string
  trace?: string
  limit: string
}

export function logsCommand(program: Command, world: World): void {
  define<Options>(program, world, {
    name: 'logs',
    summary: "A deployment's log lines",
    examples: [
      'logs acme',
      'logs acme --follow --worker api',
      'logs acme --severity error --json',
      'logs acme --trace 0af7651916cd43dd8448eb211c80319c',
    ],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('-f, --follow', 'go on as lines arrive, also late ones of an agent that had no network')
        .option('--worker <name>', 'only this worker')
        .option('--release <version>', 'only this version')
        .option('--severity <level>', `this level or worse: ${severities.join(', ')}`)
        .option('--text <part>', 'lines that contain it')
        .option('--trace <id>', 'lines that were written in this trace')
        .option('--limit <n>', 'how many', '100'),
    async run(context, [deployment = ''], options) {
      const { output, signal } = context
      const client = context.client()
      const params = { project: context.project(), deployment }
      const filter = filterOf(options)
      const print = (line: z.output<typeof logLine>) =>
        output.event(
          line,
          (item) =>
            `${output.style('dim', item.at)} ${item.worker ?? '–'} ${item.version ?? ''} ${output.style(colours[item.severity], item.body)}`,
        )
      const read: ReadPage = (query) => client.getLogs({ params, query: { ...filter, ...query } }, { signal })
      const first = await read({ limit: Number(options.limit) })
      for (const line of first.items) print(line)
      if (!options.follow) return
      const onAway = () => output.say(output.style('dim', 'The manager does not answer; asked again by itself.'))
      for await (const line of followLogs(read, first.next, { signal, onAway })) print(line)
    },
  })
}

export type ReadPage = (query: { limit: number; after?: string }) => ReturnType<Client['getLogs']>

function filterOf({ worker, release, severity, text, trace }: Options) {
  if (severity !== undefined && !severities.includes(severity)) {
    throw new LandfallError({
      code: 'E_INVALID_REQUEST',
      message: `"${severity}" is not a level.`,
      hint: `Give one of ${severities.join(', ')}.`,
    })
  }
  return {
    ...(worker && { worker }),
    ...(release && { version: release }),
    ...(severity && { severity: severity as 'info' }),
    ...(text && { text }),
    ...(trace && { trace: trace.toLowerCase() }),
  }
}
