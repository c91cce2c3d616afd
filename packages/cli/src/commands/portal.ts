import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import { confirm } from './confirm.ts'
import { define, family } from './define.ts'
import { portalAnswerCommands } from './portal/answer.ts'
import { describePortal } from './portal/describe-portal.ts'
import { portalProvideCommands } from './portal/provide.ts'
import { portalSettingCommands } from './portal/settings.ts'
import { visiting } from './portal/visit.ts'

/** How each kind of request is met. */
const todo = {
  update: 'landfall portal approve, or landfall portal refuse',
  gate: 'landfall portal approve, or landfall portal refuse',
  setup: 'landfall portal setup',
  secret: 'landfall portal secret NAME=@FILE',
} as const

export function portalCommands(program: Command, world: World): void {
  const portal = family(
    program,
    'portal',
    "The customer's side of a deployment: what runs, what is asked, what they say",
  )
  define<{ days: string; name: string }>(portal, world, {
    name: 'link',
    summary: 'Make a link to the portal of a deployment, for its customer; it is shown once',
    examples: ['portal link acme', 'portal link acme --days 7 --name "Ann, operations"'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--days <number>', 'how long it is valid, up to 366', '30')
        .option('--name <text>', 'whose it is: what they do carries it in the audit', 'portal'),
    async run(context, [deployment = ''], options) {
      const params = { project: context.project(), deployment }
      const body = { name: options.name, days: Number(options.days) }
      const link = await context.client().createPortalLink({ params, body })
      context.output.data(
        link,
        ({ url, expiresAt }) => `${url}\nValid until ${expiresAt.slice(0, 10)}, shown this once.`,
      )
      context.output.next('Whoever has it speaks for the customer. To end it: landfall tokens revoke ID')
    },
  })
  visiting(portal, world, {
    name: 'show',
    summary: 'What runs, what waits for you, what you said, what it may do. Exit code 3 when something waits for you',
    examples: ['portal show', 'portal show --link "https://…/portal#token=…" --json'],
    async run({ client, params }, context) {
      const page = await client.getPortal({ params })
      context.output.data(page, (item) => describePortal(item, context.output))
      const [first] = page.requests
      if (!first) return
      context.output.next(first.answerable ? todo[first.kind] : 'landfall agent approve, in your environment')
      throw new Exit(exitCodes.waits)
    },
  })
  portalAnswerCommands(portal, world)
  portalProvideCommands(portal, world)
  portalSettingCommands(portal, world)
  visiting<{ yes?: boolean }>(portal, world, {
    name: 'leave',
    summary: 'Leave: destroy the deployment and everything it made in your environment, data included',
    examples: ['portal leave', 'portal leave --yes'],
    configure: (command) => command.option('--yes', 'do not ask'),
    async run({ client, params }, context, options) {
      const page = await client.getPortal({ params })
      const frozen = new Set(page.permissions.filter((one) => one.lifecycle === 'frozen').map((one) => one.resource))
      const data = frozen.size > 0 ? `, ${[...frozen].join(', ')} with their data` : ''
      const consequence = `Destroys ${page.deployment.name} and everything it made in your environment${data}. This can't be undone.`
      await confirm(context, consequence, 'Leave and destroy 1 deployment', options.yes)
      const after = await client.leaveVendor({ params })
      const waits = page.settings.access === 'revoked'
      context.output.data({ deployment: after.id, phase: after.phase, waits }, () =>
        waits
          ? 'It is to be destroyed, which waits: you revoked access. Grant it once more, and it is done.'
          : 'It is being destroyed with all it made. When everything is gone, this link ends.',
      )
      context.output.next(waits ? 'landfall portal grant' : 'landfall portal show')
      if (waits) throw new Exit(exitCodes.waits)
    },
  })
}
