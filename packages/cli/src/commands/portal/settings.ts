import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CustomerSettings, LandfallError } from '@landfall/stack'
import { type Command, Option } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { describeSettings } from './describe-portal.ts'
import { visiting } from './visit.ts'

interface SettingOptions {
  updates?: CustomerSettings['updates']
  approvals?: CustomerSettings['approvals']
  telemetry?: CustomerSettings['telemetry']
  window: string[]
  windows?: string
}

const collect = (value: string, all: string[]) => [...all, value]

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
    configure: (command) =>
      command
        .addOption(new Option('--updates <mode>', 'how updates begin').choices(['automatic', 'approval', 'paused']))
        .addOption(new Option('--approvals <where>', 'where an approval counts').choices(['portal', 'agent']))
        .addOption(new Option('--telemetry <mode>', 'what leaves').choices(['on', 'errors-only', 'off']))
        .option('--window <rrule|start|duration|zone>', 'updates begin only within; once for each', collect, [])
        .option('--windows <file>', 'the windows as a JSON list; `none` takes all away'),
    async run({ client, params }, context, options) {
      const change = changeOf(context, options)
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

function changeOf(context: Context, options: SettingOptions): Partial<CustomerSettings> {
  const { updates, approvals, telemetry, window, windows } = options
  return {
    ...(updates && { updates }),
    ...(approvals && { approvals }),
    ...(telemetry && { telemetry }),
    ...(window.length > 0 && { windows: window.map(windowOf) }),
    ...(windows !== undefined && { windows: windows === 'none' ? [] : readWindows(context, windows) }),
  }
}

function windowOf(text: string): CustomerSettings['windows'][number] {
  const [rrule = '', start = '', duration = '', timeZone = ''] = text.split('|')
  if (rrule && start && duration && timeZone) return { rrule, start, duration, timeZone }
  throw usage(
    'A window is RRULE|START|DURATION|TIMEZONE.',
    'Such as "FREQ=WEEKLY;BYDAY=SA|2026-01-03T02:00|4h|Europe/Berlin".',
  )
}

/** The manager checks what it says. */
function readWindows(context: Context, file: string): CustomerSettings['windows'] {
  try {
    return JSON.parse(readFileSync(resolve(context.directory, file), 'utf8'))
  } catch {
    throw usage(`${file} is not a list of windows as JSON.`, 'Write a list of { rrule, start, duration, timeZone }.')
  }
}

const usage = (message: string, hint: string) => new LandfallError({ code: 'E_USAGE', message, hint })
