import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { signCommand } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { readKey } from '../keys/key-store.ts'
import { inputOf } from './command-input.ts'
import { define } from './define.ts'

const dayMs = 86_400_000
const mostDays = 365

interface Options {
  input?: string
  out?: string
  days?: string
  offline?: boolean
}

export function signCommandCommand(commands: Command, world: World): void {
  define<Options>(commands, world, {
    name: 'sign',
    summary: 'Sign a command for a site without network: once, for one deployment, before a day',
    examples: [
      'command sign initech api.reindex --out reindex.command',
      `command sign initech api.export --input '{"format":"csv"}' --days 7 --out export.command`,
      'command sign dep_4k2j9x7m api.reindex --offline --out reindex.command',
    ],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .argument('<worker.command>', 'which command of which worker')
        .option('--input <json>', 'the input, or @FILE')
        .option('--out <file>', 'where (COMMAND.command by default)')
        .option('--days <n>', 'is not begun after so many (30 by default)')
        .option('--offline', 'without the manager: nothing is checked, and it hears of it by the export; needs the id'),
    async run(context, [deployment = '', name = ''], options) {
      const [worker = '', command = '', ...rest] = name.split('.')
      if (!worker || !command || rest.length > 0) {
        throw usage(`${name} does not say which command of which worker.`, 'Write WORKER.COMMAND, such as api.reindex.')
      }
      const days = Number(options.days ?? 30)
      if (!(days > 0 && days <= mostDays)) throw usage('--days is not a number of days.', `Give 1 to ${mostDays}.`)
      if (options.offline && !deployment.startsWith('dep_')) {
        throw usage('Without the manager a name leads to no deployment.', 'Give its id: it starts with dep_.')
      }
      const file = resolve(context.directory, options.out ?? `${command}.command`)
      if (existsSync(file)) throw usage(`There is a file at ${file} already.`, 'Give another one by --out.')
      const project = context.project()
      const id = options.offline
        ? deployment
        : (await context.client().getDeployment({ params: { project, deployment } })).id
      const now = Date.now()
      const envelope = await signCommand(
        {
          ...{ project, deployment: id, worker, command },
          id: `cmd_${randomBytes(12).toString('hex')}`,
          input: inputOf(options.input, context.directory) as Parameters<typeof signCommand>[0]['input'],
          issuedAt: new Date(now).toISOString(),
          expiresAt: new Date(now + days * dayMs).toISOString(),
          nonce: randomBytes(24).toString('base64url'),
        },
        await readKey(context.environment, project, 'vendor'),
      )
      // The manager first: it checks the input against the schema, and a file that was refused is not to be carried.
      const known = options.offline
        ? null
        : await context.client().recordCommand({ params: { project, deployment }, body: { envelope } })
      writeFileSync(file, `${JSON.stringify(envelope)}\n`, { flag: 'wx', mode: 0o600 })
      context.output.data(
        { file, id: known?.id ?? null, expiresAt: new Date(now + days * dayMs).toISOString() },
        (item) =>
          [
            item.file,
            item.id === null
              ? 'The manager does not know of it: the export that brings its result tells.'
              : `${item.id} is known as sent by bundle; its result comes by export.`,
          ].join('\n'),
      )
      context.output.next(`landfall bundle create VERSION --deployment ${deployment} --command ${file}`)
    },
  })
}

const usage = (message: string, hint: string) => new LandfallError({ code: 'E_USAGE', message, hint })
