import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { define } from '../define.ts'
import { keyValues } from '../key-values.ts'
import { describeRequest } from './describe-portal.ts'
import { type VisitOptions, visiting, visitOf } from './visit.ts'

/** What the customer gives beside answers: the setup, and secrets of theirs. */
export function portalProvideCommands(parent: Command, world: World): void {
  visiting(parent, world, {
    name: 'setup',
    summary: 'Apply the setup that is asked for, after reading what it makes',
    examples: ['portal setup'],
    async run({ client, params }, context) {
      const request = (await client.getPortal({ params })).requests.find(({ kind }) => kind === 'setup')
      if (!request?.version) {
        throw new LandfallError({
          code: 'E_NOTHING_WAITS',
          message: 'No setup is asked for.',
          hint: 'See `landfall portal show`.',
        })
      }
      for (const line of describeRequest(request, context.output)) context.output.say(line)
      const after = await client.setupDeployment({ params, body: { release: request.version } })
      context.output.data(after, () => `The setup of ${request.version} is applied.`)
      context.output.next('landfall portal show')
    },
  })
  define<VisitOptions>(parent, world, {
    name: 'secret',
    summary: 'Give a secret that is asked for; it is sealed on arrival and never shown again',
    examples: ['portal secret stripe-key=@./stripe.key'],
    configure: (command) =>
      command
        .argument('<name=value...>', 'a secret, or @FILE to read it')
        .option('--link <url>', 'the portal link that the vendor gave (LANDFALL_LINK)'),
    async run(context, given, options) {
      const { client, params } = await visitOf(context, options.link)
      const secrets = keyValues(given, context.directory)
      const result = await client.putConfig({ params, body: { inputs: {}, secrets } })
      context.output.data(result.secrets, () => `Given: ${Object.keys(secrets).join(', ')}.`)
      context.output.next('landfall portal show')
    },
  })
}
