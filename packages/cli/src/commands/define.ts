import type { Command } from 'commander'
import { type Context, contextOf, type World } from '../context/context.ts'

/** Adds a command whose action gets a `Context`; `examples` end up in its `--help`. */
export function define<Options extends object>(
  parent: Command,
  world: World,
  definition: {
    name: string
    summary: string
    examples: readonly string[]
    configure?: (command: Command) => void
    run: (context: Context, args: string[], options: Options) => Promise<void>
  },
): Command {
  const command = parent.command(definition.name).description(definition.summary)
  definition.configure?.(command)
  command.addHelpText(
    'after',
    `\nExamples:\n${definition.examples.map((example) => `  $ landfall ${example}`).join('\n')}`,
  )
  command.action(async () => {
    await definition.run(contextOf(world, command), command.args, command.opts() as Options)
  })
  return command
}

/** A command that only holds others. */
export function family(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary)
}
