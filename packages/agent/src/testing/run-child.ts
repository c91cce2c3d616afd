import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a script of `src/testing` in a process of its own and answers how it ended. Each line it prints is handed to
 * `onLine` with a way to kill it there.
 */
export async function runChild(
  script: string,
  args: readonly string[],
  onLine: (line: string, kill: () => void) => void = () => {},
): Promise<{ signal: string | null; code: number | null; lines: string[]; errors: string }> {
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...args])
  const lines: string[] = []
  let rest = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  child.stdout.on('data', (chunk) => {
    const parts = `${rest}${String(chunk)}`.split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      lines.push(line)
      onLine(line, () => child.kill('SIGKILL'))
    }
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, lines, errors }
}
