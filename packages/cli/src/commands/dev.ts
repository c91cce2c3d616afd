import { resolve } from 'node:path'
import type { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { Context, World } from '../context/context.ts'
import { type DevEvent, runDev } from '../dev/dev-session.ts'
import type { Style } from '../output/style.ts'
import { define } from './define.ts'
import { keyValues } from './key-values.ts'

const collect = (value: string, all: string[]) => [...all, value]

export function devCommand(program: Command, world: World): void {
  define<{ directory?: string; input: string[]; secret: string[] }>(program, world, {
    name: 'dev',
    summary:
      'Run the project here, with its storage, queues and cron, and reload what is saved; data stays in .landfall/dev',
    examples: ['dev', 'dev --input region=eu --secret stripe-key=sk_test_123', 'dev --json'],
    configure: (command) =>
      command
        .option('--directory <dir>', 'where landfall.config.ts is')
        .option('--input <key=value>', 'an input', collect, [])
        .option('--secret <name=value>', 'a secret, or @FILE; others are made up', collect, []),
    async run(context, _args, options) {
      const directory = resolve(context.directory, options.directory ?? '.')
      const values = {
        inputs: keyValues(options.input, context.directory),
        secrets: keyValues(options.secret, context.directory),
      }
      await runDev(directory, values, context.signal, (event) => tell(context, event))
    },
  })
}

function tell(context: Context, event: DevEvent): void {
  const { output } = context
  if (event.kind === 'engine' && !output.verbose && !output.json) return
  const payload = event.kind === 'refused' ? { kind: event.kind, ...problemOf(event.error) } : event
  output.event(payload, () => words(event, output.style))
}

function words(event: DevEvent, style: Style): string {
  switch (event.kind) {
    case 'building':
      return style('dim', `building (${event.because})`)
    case 'serving': {
      const urls = Object.entries(event.urls).map(([worker, url]) => `  ${worker}  ${url}`)
      return [`${style('green', '✓')} ${event.version} serves after ${event.milliseconds} ms`, ...urls].join('\n')
    }
    case 'refused': {
      const { message, hint, problems, code } = problemOf(event.error)
      const list = problems.map((problem) => `  ${problem.path}: ${problem.message}`)
      return [`${style('red', '✗')} ${message}`, ...list, `  ${hint}`, style('dim', `  ${code}`)].join('\n')
    }
    case 'made-up-secret':
      return `  the secret ${event.name} was made up; give --secret ${event.name}=VALUE for a real one`
    case 'engine':
      return style('dim', `  ${event.event.message}`)
    case 'log':
      return `${style('dim', event.worker)} ${event.line}`
  }
}

function problemOf({ code, message, hint, problems }: LandfallError) {
  return { code, message, hint, problems }
}
