import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AgentStatus, Body, SettingsChange } from '@landfall/agent'
import { type CustomerSettings, LandfallError } from '@landfall/stack'
import { type Command, Option } from 'commander'
import type { Context, World } from '../../context/context.ts'
import { byOf, calling } from './connect.ts'

interface SettingOptions {
  updates?: CustomerSettings['updates']
  approvals?: CustomerSettings['approvals']
  telemetry?: CustomerSettings['telemetry']
  window: string[]
  windows?: string
  portal: string[]
  by?: string
}

const collect = (value: string, all: string[]) => [...all, value]

/** What is set here wins over the vendor's portal. */
export function agentSettingCommands(parent: Command, world: World): void {
  calling<SettingOptions>(parent, world, {
    name: 'settings',
    summary: 'What the customer says: show it, or set it here, where it wins over the portal',
    examples: [
      'agent settings',
      'agent settings --updates approval --approvals agent',
      'agent settings --window "FREQ=WEEKLY;BYDAY=SA,SU|2026-01-03T02:00|4h|Europe/Berlin"',
      'agent settings --telemetry errors-only --portal updates',
    ],
    configure: (command) =>
      command
        .addOption(new Option('--updates <mode>', 'how updates begin').choices(['automatic', 'approval', 'paused']))
        .addOption(new Option('--approvals <where>', 'where an approval counts').choices(['portal', 'agent']))
        .addOption(new Option('--telemetry <mode>', 'what leaves').choices(['on', 'errors-only', 'off']))
        .option('--window <rrule|start|duration|zone>', 'updates begin only within; give it once for each', collect, [])
        .option('--windows <file>', 'the windows as a JSON list; `none` takes all away')
        .option('--portal <setting>', 'give a setting back to the portal', collect, [])
        .option('--by <name>', 'who sets it, for the audit (USER)'),
    async run(client, context, _args, options) {
      const change = changeOf(context, options)
      const settings =
        Object.keys(change).length === 0
          ? await client.json<AgentStatus>({ method: 'GET', path: '/v1/status' }).then((status) => status.customer)
          : await client.json<CustomerSettings>({
              method: 'POST',
              path: '/v1/settings',
              body: { change, by: byOf(context, options) } satisfies Body<'POST /v1/settings'>,
            })
      context.output.data(settings, describeSettings)
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
      context.output.data(settings, describeSettings)
    },
  })
}

function changeOf(context: Context, options: SettingOptions): SettingsChange {
  const { updates, approvals, telemetry, window, windows, portal } = options
  return {
    ...(updates && { updates }),
    ...(approvals && { approvals }),
    ...(telemetry && { telemetry }),
    ...(window.length > 0 && { windows: window.map(windowOf) }),
    ...(typeof windows === 'string' && { windows: windows === 'none' ? [] : readWindows(context, windows) }),
    ...Object.fromEntries(portal.map((name) => [name, null])),
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

/** The agent checks what it says. */
function readWindows(context: Context, file: string): CustomerSettings['windows'] {
  try {
    return JSON.parse(readFileSync(resolve(context.directory, file), 'utf8'))
  } catch {
    throw usage(
      `${file} is not a list of windows as JSON.`,
      'Write a list of { rrule, start, duration, timeZone }, or `none`.',
    )
  }
}

const usage = (message: string, hint: string) => new LandfallError({ code: 'E_USAGE', message, hint })

const describeSettings = (settings: CustomerSettings) =>
  [
    `updates    ${settings.updates}`,
    `approvals  ${settings.approvals}`,
    `windows    ${settings.windows.map((window) => `${window.rrule} from ${window.start}, ${window.duration}, ${window.timeZone}`).join('; ') || 'none: at any time'}`,
    `telemetry  ${settings.telemetry}`,
    `access     ${settings.access}`,
  ].join('\n')
