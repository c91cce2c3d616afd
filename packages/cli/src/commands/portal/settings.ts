import type { CustomerSettings } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { addSettingOptions, describeSettings, type SettingOptions, settingsOf } from '../../customer/setting-options.ts'
import { visiting } from './visit.ts'

export function portalSettingCommands(parent: Command, world: World): void {
  visiting<SettingOptions>(parent, world, {
    name: 'settings',
    summary: 'How updates begin, when, and what leaves: show it, or change what is named',
    examples: [
      'portal settings',
      'portal settings --updates approval --telemetry errors-only',
      'portal settings --window "FREQ=WEEKLY;BYDAY=SA,SU|2026-01-03T02:00|4h|Europe/Berlin"',
      'portal settings --windows none',
    ],
    configure: addSettingOptions,
    async run({ client, params }, context, options) {
      const change = settingsOf(context, options)
      if (Object.keys(change).length > 0) {
        const settings = await client.changeCustomerSettings({ params, body: change })
        context.output.data(settings, (item) => describeSettings(item).join('\n'))
        return
      }
      const { settings, local } = await client.getPortal({ params })
      context.output.data(settings, (item) => describeSettings(item, local).join('\n'))
    },
  })
  access(parent, world, 'revoke', 'Take access away: nothing at all is done in your environment; what runs goes on', {
    access: 'revoked',
    said: 'Access is revoked: nothing is done in your environment until you grant it again. What runs there goes on.',
  })
  access(parent, world, 'grant', 'Give access back after `revoke`', {
    access: 'granted',
    said: 'Access is granted: it goes on by itself from where it stood.',
  })
}

function access(
  parent: Command,
  world: World,
  name: string,
  summary: string,
  { access, said }: { access: CustomerSettings['access']; said: string },
): void {
  visiting(parent, world, {
    name,
    summary,
    examples: [`portal ${name}`],
    async run({ client, params }, context) {
      const settings = await client.changeCustomerSettings({ params, body: { access } })
      context.output.data(settings, () => said)
      // Where approvals count at the agent, what was closed here is opened there.
      const grant = settings.approvals === 'agent' ? 'landfall agent grant    (at the agent)' : 'landfall portal grant'
      context.output.next(access === 'revoked' ? grant : 'landfall portal show')
    },
  })
}
