import { Command } from 'commander'
import { agentCommands } from '../commands/agent.ts'
import { checkBundleCommands } from '../commands/bundle-check.ts'
import { family } from '../commands/define.ts'
import type { World } from '../context/context.ts'
import { runProgram } from '../run-program.ts'

/**
 * Runs one command line of the agent's program; resolves with the exit code. `agent` may be left out: `status` is `agent status`.
 */
export function runAgentProgram(args: readonly string[], given: Partial<World> = {}): Promise<number> {
  const [first] = args
  const named = first === undefined || first.startsWith('-') || ['agent', 'bundle', 'help'].includes(first)
  return runProgram(create, named ? args : ['agent', ...args], given)
}

/** The commands of `landfall` that make sense at a site, by the same names. */
function create(world: World): Command {
  const program = new Command('landfall')
    .description("Runs a vendor's software at a site, with or without network.")
    .version('0.1.0', '-V')
    .option('--json', 'print JSON (NDJSON for streams) and nothing else')
    .option('--verbose', 'say more')
    .configureOutput({
      writeOut: (text) => world.streams.out.write(text),
      writeErr: (text) => world.streams.err.write(text),
    })
    .exitOverride()
  agentCommands(program, world)
  checkBundleCommands(family(program, 'bundle', 'Releases as one signed file'), world)
  inherit(program, program)
  return program
}

function inherit(command: Command, from: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(from)
    inherit(child, from)
  }
}
