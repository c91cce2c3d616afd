import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CustomerSettings, LandfallError } from '@landfall/stack'
import { type Command, Option } from 'commander'
import type { Context } from '../context/context.ts'

/** What a customer says on the command line, in the portal as at the agent. */
export interface SettingOptions {
  updates?: CustomerSettings['updates']
  approvals?: CustomerSettings['approvals']
  telemetry?: CustomerSettings['telemetry']
  window: string[]
  windows?: string
}

const collect = (value: string, all: string[]) => [...all, value]

export function addSettingOptions(command: Command): Command {
  return command
    .addOption(new Option('--updates <mode>', 'how updates begin').choices(['automatic', 'approval', 'paused']))
    .addOption(new Option('--approvals <where>', 'where an approval counts').choices(['portal', 'agent']))
    .addOption(new Option('--telemetry <mode>', 'what leaves').choices(['on', 'errors-only', 'off']))
    .option('--window <rrule|start|duration|zone>', 'updates begin only within; give it once for each', collect, [])
    .option('--windows <file>', 'the windows as a JSON list; `none` takes all away')
}

/** Only what was named. Whoever takes it checks it. @throws LandfallError `E_USAGE` for a window that can't be read */
export function settingsOf(context: Context, options: SettingOptions): Partial<CustomerSettings> {
  const { updates, approvals, telemetry, window, windows } = options
  return {
    ...(updates && { updates }),
    ...(approvals && { approvals }),
    ...(telemetry && { telemetry }),
    ...(window.length > 0 && { windows: window.map(windowOf) }),
    ...(windows !== undefined && { windows: windows === 'none' ? [] : readWindows(context, windows) }),
  }
}

/** A line a setting; `local`: those that were set at the agent. */
export function describeSettings(settings: CustomerSettings, local: readonly string[] = []): string[] {
  const windows = settings.windows.map(
    ({ rrule, start, duration, timeZone }) => `${rrule} from ${start}, ${duration}, ${timeZone}`,
  )
  const line = (name: keyof CustomerSettings, value: string) =>
    `${name.padEnd(10)} ${value}${local.includes(name) ? ' (set at the agent)' : ''}`
  return [
    line('updates', settings.updates),
    line('approvals', settings.approvals),
    line('windows', windows.join('; ') || 'none: at any time'),
    line('telemetry', settings.telemetry),
    line('access', settings.access),
  ]
}

function windowOf(text: string): CustomerSettings['windows'][number] {
  const [rrule = '', start = '', duration = '', timeZone = ''] = text.split('|')
  if (rrule && start && duration && timeZone) return { rrule, start, duration, timeZone }
  throw usage(
    'A window is RRULE|START|DURATION|TIMEZONE.',
    'Such as "FREQ=WEEKLY;BYDAY=SA|2026-01-03T02:00|4h|Europe/Berlin".',
  )
}

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
