import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Island } from './island.ts'

export const program = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'landfall.js')

export interface Where {
  environment: Readonly<Record<string, string>>
  /** Runs inside it. */
  island?: Island | null
}

/**
 * Runs the command line as a person would, and answers what it printed as JSON (the last line, for a stream). A non-zero exit is an
 * error with what it said; ends after two minutes.
 */
export async function landfall(
  argv: readonly string[],
  where: Where,
  allowed: readonly number[] = [0],
): Promise<unknown> {
  const line = [process.execPath, program, '--json', ...argv]
  const [command, args] = where.island ? where.island.inside(line) : [process.execPath, line.slice(1)]
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...where.environment },
    timeout: 120_000,
  })
  let out = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  if (!allowed.includes(code ?? -1))
    throw new Error(`landfall ${argv.join(' ')} ended with ${code}: ${said || out}`.trim())
  return parse(out)
}

/** One document, or the last line of a stream of them. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const last = text.trim().split('\n').at(-1) ?? ''
    return last === '' ? null : JSON.parse(last)
  }
}
