import './lean.ts'
import { hostArgument } from './host-argument.ts'
import { runAgentProgram } from './run-agent-program.ts'

/*
 * The entry of the program that travels in bundles: `node landfall-agent.mjs run …`. One file is both the agent and the daemon of its
 * local environment, which the platform starts as a process of its own.
 */
if (process.argv[2] === hostArgument) {
  process.argv.splice(2, 1)
  await import('@landfall/platform-local/host')
} else {
  process.exitCode = await runAgentProgram(process.argv.slice(2))
}
