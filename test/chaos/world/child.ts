import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { program } from '../../../scripts/story/landfall.ts'

const instrument = join(import.meta.dirname, '..', 'instrument', 'main.ts')
const readyMs = 180_000

interface Options {
  /** Name in points and traces. */
  name: string
  /** Arguments of `landfall`. */
  argv: readonly string[]
  environment: Readonly<Record<string, string>>
  /** What it prints. */
  log: string
  /** Before it is started again after a SIGKILL. */
  beforeAgain?: () => Promise<void>
  /** Compiled code, kept from start to start: half of what a start costs. */
  compiled: string
}

/** `landfall …` under the instrument, started again when it is killed, as systemd would; every other end is a fault. */
export class Child {
  readonly name: string
  /** Ends that nobody asked for. */
  readonly faults: string[] = []
  /** While PostgreSQL is killed on purpose, one that can't even start without it may end: it is started again, as systemd would. */
  mayFailToStart = false
  ready: Promise<Record<string, unknown>> = Promise.resolve({})
  #child: ChildProcess | null = null
  #wanted = false
  readonly #options: Options

  constructor(options: Options) {
    this.name = options.name
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when it said that it is ready; it may be killed before. */
  start(): Promise<Record<string, unknown>> {
    this.#wanted = true
    const { argv, environment, log, name, compiled } = this.#options
    const child = spawn(process.execPath, ['--import', instrument, program, '--json', ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a session of its own, as a service has it: Ctrl-C is for the harness alone, and the system shares its time out by session.
      detached: true,
      env: { ...process.env, ...environment, LANDFALL_CHAOS_PROCESS: name, NODE_COMPILE_CACHE: compiled },
    })
    this.#child = child
    const out = createWriteStream(log, { flags: 'a' })
    child.stderr.pipe(out, { end: false })
    let said = false
    this.ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        out.write(`${line}\n`)
        if (!line.includes('"ready"')) return
        said = true
        resolve(JSON.parse(line))
      })
      const late = setTimeout(() => reject(new Error(`${name} was not ready; see ${log}`)), readyMs)
      late.unref()
      child.once('exit', (code, signal) => {
        clearTimeout(late)
        out.end()
        if (this.#child !== child || !this.#wanted) return
        const excused = this.mayFailToStart && !said
        if (signal !== 'SIGKILL' && !excused) this.faults.push(`${name} ended by itself (${code ?? signal})`)
        resolve(this.#again())
      })
    })
    this.ready.catch(() => {})
    return this.ready
  }

  async #again(): Promise<Record<string, unknown>> {
    if (this.faults.length > 3) throw new Error(this.faults.join('; '))
    await this.#options.beforeAgain?.()
    return this.#wanted ? this.start() : {}
  }

  /** Ends it at once or, for what is to be kept, in good order. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#wanted = false
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(late)
  }
}
