import type { Portal } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { describeRequest } from './describe-portal.ts'
import { visiting } from './visit.ts'

interface AnswerOptions {
  target?: string
  gate?: string
  message?: string
}

export function portalAnswerCommands(parent: Command, world: World): void {
  answering(parent, world, 'approve', 'Let what is asked go on: this target, and no other')
  answering(parent, world, 'refuse', 'Refuse what is asked: it is not brought, or goes back; another may be approved')
}

function answering(parent: Command, world: World, name: 'approve' | 'refuse', summary: string): void {
  const status = name === 'approve' ? 'pass' : 'fail'
  visiting<AnswerOptions>(parent, world, {
    name,
    summary,
    examples: [`portal ${name}`, `portal ${name} --target sha256:4a1f… --message "ticket 812"`],
    configure: (command) =>
      command
        .option('--target <digest>', 'the target that was read; else the one that is asked now, which is shown')
        .option('--gate <gate>', 'which gate, where several are asked')
        .option('--message <text>', 'why, for the audit'),
    async run({ client, params }, context, options) {
      const asked = options.target === undefined ? await onlyOne(client.getPortal({ params }), options.gate) : null
      if (asked) for (const line of describeRequest(asked, context.output)) context.output.say(line)
      const body = {
        gate: asked?.gate ?? options.gate ?? 'update',
        target: asked?.target ?? options.target ?? '',
        status,
        ...(options.message !== undefined && { message: options.message }),
      } as const
      const stored = await client.answerRequest({ params, body })
      const what = asked?.version ?? stored.target
      context.output.data(stored, () => `${status === 'pass' ? 'Approved' : 'Refused'} ${what}.`)
      context.output.next('landfall portal show')
    },
  })
}

async function onlyOne(page: Promise<Portal>, gate: string | undefined): Promise<Portal['requests'][number]> {
  const requests = (await page).requests.filter(
    (one) => (one.kind === 'update' || one.kind === 'gate') && (gate === undefined || one.gate === gate),
  )
  const [request] = requests
  if (request && requests.length === 1) return request
  throw new LandfallError({
    code: request ? 'E_USAGE' : 'E_NOTHING_WAITS',
    message: request
      ? `${requests.length} things are asked: ${requests.map((one) => one.gate).join(', ')}.`
      : 'Nothing is asked that could be answered.',
    hint: request ? 'Name one with --gate.' : 'See `landfall portal show`.',
  })
}
