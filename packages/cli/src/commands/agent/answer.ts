import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AgentStatus } from '@landfall/agent'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { byOf, calling } from './connect.ts'

interface AnswerOptions {
  target?: string
  gate?: string
  message?: string
  by?: string
}

export function agentAnswerCommands(parent: Command, world: World): void {
  answering(parent, world, { name: 'approve', status: 'pass', done: 'Approved' })
  answering(parent, world, { name: 'refuse', status: 'fail', done: 'Refused' })
  calling<{ by?: string }>(parent, world, {
    name: 'command',
    summary: 'Run a command that the vendor signed for this deployment',
    examples: ['agent command reindex.command.json'],
    configure: (command) =>
      command.argument('<file>', 'the signed command').option('--by <name>', 'who gives it, for the audit (USER)'),
    async run(client, context, [file = ''], options) {
      const envelope = await readFile(resolve(context.directory, file), 'utf8').catch((cause: unknown) => {
        throw new LandfallError({
          code: 'E_USAGE',
          message: `${file} can not be read.`,
          hint: 'Check the path.',
          cause,
        })
      })
      const body = { envelope, by: byOf(context, options) }
      const accepted = await client.json<{ id: string }>({ method: 'POST', path: '/v1/commands', body })
      context.output.data(
        accepted,
        (item) => `The command ${item.id} is taken; its result goes out with the next export or sync.`,
      )
      context.output.next('landfall agent status')
    },
  })
}

function answering(
  parent: Command,
  world: World,
  { name, status, done }: { name: string; status: 'pass' | 'fail'; done: string },
): void {
  calling<AnswerOptions>(parent, world, {
    name,
    summary: `${status === 'pass' ? 'Let' : 'Do not let'} what waits go on: this target, and no other`,
    examples: [
      `agent ${name}`,
      `agent ${name} --target sha256:4a1f… --message "ticket 812"`,
      `agent ${name} --gate api/step-1.0`,
    ],
    configure: (command) =>
      command
        .option('--target <digest>', 'the target that was read; needed where somebody decided before')
        .option('--gate <gate>', 'which gate, where several wait')
        .option('--message <text>', 'why, for the audit')
        .option('--by <name>', 'who decides, for the audit (USER)'),
    async run(client, context, _args, options) {
      const { waits } = await client.json<AgentStatus>({ method: 'GET', path: '/v1/status' })
      const { gate, target, version } = options.target
        ? { gate: options.gate ?? 'update', target: options.target, version: null }
        : oneOf(waits.filter((wait) => options.gate === undefined || wait.gate === options.gate))
      const { message } = options
      const body = { gate, target, status, by: byOf(context, options), ...(message !== undefined && { message }) }
      await client.json({ method: 'POST', path: '/v1/answers', body })
      context.output.data(
        { gate, target, status },
        () => `${done} ${version ?? target}${gate === 'update' ? '' : ` (${gate})`}.`,
      )
    },
  })
}

function oneOf(waits: AgentStatus['waits']): AgentStatus['waits'][number] {
  const [wait] = waits
  if (wait && waits.length === 1) return wait
  throw new LandfallError({
    code: wait ? 'E_USAGE' : 'E_NOTHING_WAITS',
    message: wait
      ? `${waits.length} things wait: ${waits.map((one) => one.gate).join(', ')}.`
      : 'Nothing waits for a person.',
    hint: wait ? 'Name one with --gate.' : 'See `landfall agent explain`.',
  })
}
