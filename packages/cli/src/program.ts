import { Command } from 'commander'
import { agentCommands } from './commands/agent.ts'
import { auditCommands } from './commands/audit.ts'
import { backupCommands } from './commands/backup.ts'
import { buildCommand } from './commands/build.ts'
import { bundleCommands } from './commands/bundle.ts'
import { channelCommands } from './commands/channels.ts'
import { commandCommand } from './commands/command.ts'
import { configCommands } from './commands/config.ts'
import { deploymentCommands } from './commands/deployments.ts'
import { destroyCommand } from './commands/destroy.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { freezeCommands } from './commands/freezes.ts'
import { groupCommands } from './commands/groups.ts'
import { initCommand } from './commands/init.ts'
import { keyCommands } from './commands/keys.ts'
import { loginCommand } from './commands/login.ts'
import { logsCommand } from './commands/logs.ts'
import { metricsCommand } from './commands/metrics.ts'
import { portalCommands } from './commands/portal.ts'
import { projectCommands } from './commands/projects.ts'
import { releaseCommand } from './commands/release.ts'
import { releaseCommands } from './commands/releases.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { rolloutCommands } from './commands/rollouts.ts'
import { serveCommand } from './commands/serve.ts'
import { tokenCommands } from './commands/tokens.ts'
import { tracesCommand } from './commands/traces.ts'
import { userCommands } from './commands/users.ts'
import type { World } from './context/context.ts'

export const exitCodeHelp = `
Exit codes: 0 done, 1 failed, 2 usage, 3 waits for a person, 4 went back.`

/** The whole command line; parse with `{ from: 'user' }`. Throws `CommanderError` on wrong usage. */
export function createProgram(world: World): Command {
  const program = new Command('landfall')
    .description("Carries a vendor's software into environments the vendor does not own.")
    .version('0.1.0', '-V')
    .option('--json', 'print JSON (NDJSON for streams) and nothing else')
    .option('--verbose', 'say more')
    .option('--url <url>', "the manager's address (LANDFALL_URL)")
    .option('--token <token>', 'API token (LANDFALL_TOKEN)')
    .option('--project <name>', 'the project (LANDFALL_PROJECT, or landfall.json)')
    .addHelpText('after', exitCodeHelp)
    .configureOutput({
      writeOut: (text) => world.streams.out.write(text),
      writeErr: (text) => world.streams.err.write(text),
    })
    .exitOverride()
  for (const register of registrations) register(program, world)
  inherit(program, program)
  return program
}

const registrations = [
  initCommand,
  devCommand,
  buildCommand,
  releaseCommand,
  releaseCommands,
  rolloutCommands,
  rollbackCommand,
  deploymentCommands,
  destroyCommand,
  configCommands,
  groupCommands,
  channelCommands,
  freezeCommands,
  bundleCommands,
  agentCommands,
  portalCommands,
  logsCommand,
  metricsCommand,
  tracesCommand,
  commandCommand,
  projectCommands,
  userCommands,
  tokenCommands,
  keyCommands,
  auditCommands,
  loginCommand,
  serveCommand,
  backupCommands,
  doctorCommand,
]

/** Sub-commands do not inherit output and exit handling by themselves. */
function inherit(command: Command, from: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(from)
    inherit(child, from)
  }
}
