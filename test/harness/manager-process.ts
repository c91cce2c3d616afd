import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const program = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'landfall.js')

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** `landfall serve` as a process of its own, to be killed, frozen, ended and started again at its address. */
export class ManagerProcess {
  readonly name: string
  readonly port: number
  bootstrapUrl: string | null = null
  readonly #settings: { directory: string; databaseUrl: string; publicUrl: string }
  #child: ChildProcess | null = null

  constructor(name: string, port: number, settings: { directory: string; databaseUrl: string; publicUrl: string }) {
    this.name = name
    this.port = port
    this.#settings = settings
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get log(): string {
    return join(this.#settings.directory, `${this.name}.log`)
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const { directory, databaseUrl, publicUrl } = this.#settings
    mkdirSync(directory, { recursive: true })
    const database = new URL(databaseUrl)
    // By this name the database's own witness tells whose write it was.
    database.searchParams.set('application_name', this.name)
    const own = ['--json', '--port', String(this.port), '--data', join(directory, 'manager'), '--public-url', publicUrl]
    const child = spawn(process.execPath, [program, 'serve', ...own], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        DATABASE_URL: database.href,
        LANDFALL_AGENT_WAIT_MS: '5000',
        LANDFALL_AGENT_INTERVAL_MS: '1000',
        LANDFALL_AGENT_JITTER_MS: '100',
      },
    })
    this.#child = child
    const log = createWriteStream(this.log, { flags: 'a' })
    child.stderr.pipe(log)
    const ready = new Promise<string | null>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const event = line.startsWith('{') ? JSON.parse(line) : {}
        if (event.kind === 'ready') resolve(event.bootstrap ?? null)
      })
    })
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the manager ${this.name} ended with ${code}; its log is ${this.log}`)
    })
    ended.catch(() => {})
    this.bootstrapUrl = await Promise.race([ready, ended])
  }

  /** Ends it as an operator does. Answers its exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  wake(): void {
    this.#child?.kill('SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
    return child.exitCode
  }
}
