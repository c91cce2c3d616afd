import { LandfallError } from '@landfall/stack'
import { type Command, CommanderError } from 'commander'
import { createContext, type World } from './context/context.ts'
import { Exit, exitCodes } from './exit-codes.ts'

/** Runs one command line; resolves with the exit code. Never calls `process.exit`, never prompts without a TTY. */
export async function runProgram(
  create: (world: World) => Command,
  args: readonly string[],
  given: Partial<World> = {},
): Promise<number> {
  const stop = new AbortController()
  const world: World = {
    environment: given.environment ?? process.env,
    directory: given.directory ?? process.cwd(),
    streams: given.streams ?? { out: process.stdout, err: process.stderr },
    signal: given.signal ?? stop.signal,
  }
  const interrupt = () => stop.abort(new Exit(exitCodes.failed))
  if (!given.signal) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt)
  try {
    // Commands have a --version of their own, so the root's can't be an option.
    await create(world).parseAsync(args.length === 1 && args[0] === '--version' ? ['-V'] : args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    return codeOf(error, world, args)
  } finally {
    if (!given.signal) for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, interrupt)
  }
}

function codeOf(error: unknown, world: World, args: readonly string[]): number {
  if (error instanceof Exit) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  createContext(world, { json: args.includes('--json'), verbose: args.includes('--verbose') }).output.error(error)
  return error instanceof LandfallError && error.code === 'E_USAGE' ? exitCodes.usage : exitCodes.failed
}
