import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { define } from '../define.ts'
import { dataOf } from './connect.ts'

export function agentUpkeepCommands(parent: Command, world: World): void {
  define<{ data?: string; keyFile?: string }>(parent, world, {
    name: 'rotate-key',
    summary: 'Give the agent’s state a new key; the old one opens nothing here any more',
    examples: ['agent rotate-key --data /var/lib/landfall-agent --key-file /etc/landfall/agent.key'],
    configure: (command) =>
      command
        .option('--data <dir>', "the agent's directory (LANDFALL_AGENT_DATA, .landfall/agent)")
        .option('--key-file <file>', 'file of the key, replaced by the new one (beside the directory)'),
    async run(context, _args, options) {
      const { keyFileBeside, rotateKeyFile } = await import('@landfall/agent')
      const data = dataOf(context, options)
      const file = resolve(
        context.directory,
        options.keyFile ?? context.environment.LANDFALL_AGENT_KEY_FILE ?? keyFileBeside(data),
      )
      rotateKeyFile(data, file)
      context.output.data(
        { keyFile: file },
        () =>
          `The new key is at ${file}. A running agent needs it at its next start; old copies of the directory still open with the old one.`,
      )
    },
  })
  define<{ data?: string; keyFile?: string; user: string; write: string[]; program?: string }>(parent, world, {
    name: 'unit',
    summary: 'Print a systemd unit for the agent, hardened',
    examples: [
      'agent unit --data /var/lib/landfall-agent --key-file /etc/landfall/agent.key > /etc/systemd/system/landfall-agent.service',
      'agent unit --data /srv/agent --write /srv/app --user landfall',
    ],
    configure: (command) =>
      command
        .option('--data <dir>', "the agent's directory", '/var/lib/landfall-agent')
        .option(
          '--key-file <file>',
          'key of its state; systemd hands it over, so its user need not read the file',
          '/etc/landfall/agent.key',
        )
        .option('--user <name>', 'system user and group that it runs as', 'landfall-agent')
        .option(
          '--write <dir>',
          'what else it must write: the directory of the environment',
          (value: string, all: string[]) => [...all, value],
          [],
        )
        .option('--program <path>', 'the landfall program (the one that prints this)'),
    async run(context, _args, options) {
      const { systemdUnit } = await import('@landfall/agent')
      // This very program: the checkout's, an installed one, or the single file that travels in bundles.
      const own = realpathSync(
        options.program === undefined ? (process.argv[1] ?? '') : resolve(context.directory, options.program),
      )
      const unit = systemdUnit({
        program: [process.execPath, own, 'agent'],
        directory: resolve(context.directory, options.data ?? '/var/lib/landfall-agent'),
        keyFile: resolve(context.directory, options.keyFile ?? '/etc/landfall/agent.key'),
        user: options.user,
        writable: options.write.map((path) => resolve(context.directory, path)),
      })
      context.output.data({ unit }, (item) => item.unit.trimEnd())
    },
  })
}
