import { setTimeout as sleep } from 'node:timers/promises'
import type { logLine } from '@landfall/contract'
import type { Command } from 'commander'
import type { z } from 'zod'
import type { World } from '../context/context.ts'
import { define } from './define.ts'

const colours = { trace: 'gray', debug: 'gray', info: 'white', warn: 'yellow', error: 'red', fatal: 'red' } as const

export function logsCommand(program: Command, world: World): void {
  define<{ follow?: boolean; worker?: string; release?: string; severity?: string; text?: string; limit: string }>(
    program,
    world,
    {
      name: 'logs',
      summary: "A deployment's log lines",
      examples: ['logs acme', 'logs acme --follow --worker api', 'logs acme --severity error --json'],
      configure: (command) =>
        command
          .argument('<deployment>', 'name or id')
          .option('-f, --follow', 'go on as lines arrive')
          .option('--worker <name>', 'only this worker')
          .option('--release <version>', 'only this version')
          .option('--severity <level>', 'this level or worse: trace, debug, info, warn, error, fatal')
          .option('--text <part>', 'lines that contain it')
          .option('--limit <n>', 'how many', '100'),
      async run(context, [deployment = ''], options) {
        const client = context.client()
        const params = { project: context.project(), deployment }
        const filter = {
          ...(options.worker && { worker: options.worker }),
          ...(options.release && { version: options.release }),
          ...(options.severity && { severity: options.severity as 'info' }),
          ...(options.text && { text: options.text }),
        }
        const print = (line: z.output<typeof logLine>) =>
          context.output.event(
            line,
            (item) =>
              `${context.output.style('dim', item.at)} ${item.worker ?? '–'} ${item.version ?? ''} ${context.output.style(colours[item.severity], item.body)}`,
          )
        let page = await client.getLogs({ params, query: { ...filter, limit: Number(options.limit) } })
        let after = page.next
        for (const line of page.items) print(line)
        while (options.follow) {
          await sleep(700, undefined, { signal: context.signal })
          page = await client.getLogs(
            { params, query: { ...filter, limit: 500, ...(after && { after }) } },
            { signal: context.signal },
          )
          after = page.next ?? after
          for (const line of page.items) print(line)
        }
      },
    },
  )
}
