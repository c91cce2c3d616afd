import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { program } from './landfall.ts'

export interface ManagerProcess {
  url: string
  bootstrap: string
  stop(): Promise<void>
}

/** Starts `landfall serve` as a process of its own and waits until it is ready (at most 90 s: the first start makes a database). */
export async function startManagerProcess(directory: string, port: number): Promise<ManagerProcess> {
  const child = spawn(
    process.execPath,
    [program, 'serve', '--json', '--port', String(port), '--data', join(directory, 'manager')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: process.env,
    },
  )
  const log = createWriteStream(join(directory, 'manager.log'), { flags: 'a' })
  child.stderr.pipe(log)
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the manager ended with code ${code}; its log is ${join(directory, 'manager.log')}`)),
    )
    setTimeout(
      () => reject(new Error(`the manager was not ready after 90 s; its log is ${join(directory, 'manager.log')}`)),
      90_000,
    ).unref()
  })
  ended.catch(() => {})
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<{ url: string; bootstrap: string }>((resolve) => {
    lines.on('line', (line) => {
      log.write(`${line}\n`)
      const event = parse(line)
      if (event?.kind === 'ready') resolve({ url: String(event.url), bootstrap: String(event.bootstrap) })
    })
  })
  const { url, bootstrap } = await Promise.race([ready, ended])
  return { url, bootstrap, stop: () => stop(child) }
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** Asks to end, and kills after 30 s. */
function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 30_000)
    child.once('exit', () => {
      clearTimeout(kill)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
