import type { Agent, LogLine } from '@landfall/agent'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { Exit, exitCodes } from '../../exit-codes.ts'
import { calling } from './connect.ts'

const page = 500

export function agentAuditCommands(parent: Command, world: World): void {
  calling<{ limit: string; after: string }>(parent, world, {
    name: 'audit',
    summary: 'Everything that was done here, as a chain; `audit verify` recomputes it',
    examples: ['agent audit', 'agent audit verify', 'agent audit --after 120 --json'],
    configure: (command) =>
      command
        .argument('[verify]', 'verify: recompute the whole chain')
        .option('--after <number>', 'links above this number', '0')
        .option('--limit <n>', 'how many', '100'),
    async run(client, context, [action], options) {
      if (action === 'verify') {
        const check = await client.json<Awaited<ReturnType<Agent['verifyAudit']>>>({
          method: 'GET',
          path: '/v1/audit/verify',
        })
        context.output.data(check, (item) =>
          item.ok
            ? `${item.entries} entries hold; the chain ends at ${item.head ?? 'nothing'}.`
            : `The chain is broken at entry ${item.broken?.number}: ${item.broken?.message}.`,
        )
        if (!check.ok) throw new Exit(exitCodes.failed)
        return
      }
      let after = Number(options.after)
      for (let left = Number(options.limit); left > 0; ) {
        const path = `/v1/audit?after=${after}&limit=${Math.min(left, page)}`
        const { links } = await client.json<Awaited<ReturnType<Agent['audit']>>>({ method: 'GET', path })
        for (const link of links) {
          context.output.event(
            link,
            (item) =>
              `${item.number}  ${item.at}  ${item.type}  ${item.message}  ${context.output.style('dim', item.actor)}`,
          )
        }
        if (links.length === 0) return
        after = links.at(-1)?.number ?? after
        left -= links.length
      }
    },
  })
  calling<{ limit: string }>(parent, world, {
    name: 'logs',
    summary: 'Log lines of the workers that were not handed on yet',
    examples: ['agent logs', 'agent logs --limit 500'],
    configure: (command) => command.option('--limit <n>', 'how many', '100'),
    async run(client, context, _args, options) {
      const { lines } = await client.json<{ lines: LogLine[] }>({
        method: 'GET',
        path: `/v1/logs?limit=${Number(options.limit)}`,
      })
      for (const line of lines) {
        context.output.event(
          line,
          (item) => `${context.output.style('dim', item.at)} ${item.worker ?? '–'} ${item.severity} ${item.body}`,
        )
      }
    },
  })
}
