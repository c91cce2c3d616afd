import type { AgentStatus, Body, SettingsChange } from '@landfall/agent'
import type { CustomerSettings } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { addSettingOptions, describeSettings, type SettingOptions, settingsOf } from '../../customer/setting-options.ts'
import { byOf, calling } from './connect.ts'

interface Options extends SettingOptions {
  portal: string[]
  by?: string
}

const collect = (value: string, all: string[]) => [...all, value]

/** What is set here wins over the vendor's portal. */
export function agentSettingCommands(parent: Command, world: World): void {
  calling<Options>(parent, world, {
    name: 'settings',
    summary: 'What the customer says: show it, or set it here, where it wins over the portal',
    examples: [
      'agent settings',
      'agent settings --updates approval --approvals agent',
      'agent settings --window "FREQ=WEEKLY;BYDAY=SA,SU|2026-01-03T02:00|4h|Europe/Berlin"',
      'agent settings --telemetry errors-only --portal updates',
    ],
    configure: (command) =>
      addSettingOptions(command)
        .option('--portal <setting>', 'give a setting back to the portal', collect, [])
        .option('--by <name>', 'who sets it, for the audit (USER)'),
    async run(client, context, _args, options) {
      const change: SettingsChange = {
        ...settingsOf(context, options),
        ...Object.fromEntries(options.portal.map((name) => [name, null])),
      }
      const settings =
        Object.keys(change).length === 0
          ? await client.json<AgentStatus>({ method: 'GET', path: '/v1/status' }).then((status) => status.customer)
          : await client.json<CustomerSettings>({
              method: 'POST',
              path: '/v1/settings',
              body: { change, by: byOf(context, options) } satisfies Body<'POST /v1/settings'>,
            })
      context.output.data(settings, (item) => describeSettings(item).join('\n'))
    },
  })
  single(parent, world, 'pause', 'Begin no update until `resume`; what runs goes on', '/v1/pause')
  single(parent, world, 'resume', 'Let updates begin again, as before the pause', '/v1/resume')
  single(
    parent,
    world,
    'revoke',
    'Let the agent do nothing at all in the environment; what runs goes on',
    '/v1/settings',
    { access: 'revoked' },
  )
  single(parent, world, 'grant', 'Give access back after `revoke`', '/v1/settings', { access: 'granted' })
}

function single(
  parent: Command,
  world: World,
  name: string,
  summary: string,
  path: string,
  change?: SettingsChange,
): void {
  calling<{ by?: string }>(parent, world, {
    name,
    summary,
    examples: [`agent ${name}`, `agent ${name} --by ada`],
    configure: (command) => command.option('--by <name>', 'who asks, for the audit (USER)'),
    async run(client, context, _args, options) {
      const body = { ...(change && { change }), by: byOf(context, options) }
      const settings = await client.json<CustomerSettings>({ method: 'POST', path, body })
      context.output.data(settings, (item) => describeSettings(item).join('\n'))
    },
  })
}
