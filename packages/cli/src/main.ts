import type { World } from './context/context.ts'
import { createProgram } from './program.ts'
import { runProgram } from './run-program.ts'

/** Runs one `landfall` command line; resolves with the exit code. Never calls `process.exit`, never prompts without a TTY. */
export function main(args: readonly string[], given: Partial<World> = {}): Promise<number> {
  return runProgram(createProgram, args, given)
}
