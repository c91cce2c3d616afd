import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AgentStatus } from '@landfall/agent'
import type { Island } from './island.ts'
import { landfall, program } from './landfall.ts'

/** A customer's own place: a directory that nobody else writes to, with the agent as a process of its own. */
export class Site {
  readonly name: string
  readonly directory: string
  readonly island: Island | null
  #agent: ChildProcess | null = null

  constructor(name: string, directory: string, island: Island | null = null) {
    this.name = name
    this.directory = directory
    this.island = island
    for (const box of ['in', 'out']) mkdirSync(join(directory, box), { recursive: true })
  }

  get data(): string {
    return join(this.directory, 'agent')
  }

  /** Where what it runs lives. */
  get environment(): string {
    return join(this.data, 'environment')
  }

  /** Runs `landfall agent …` at the site, as its person would. */
  landfall(argv: readonly string[], allowed?: readonly number[]): Promise<unknown> {
    return landfall(['agent', ...argv, '--data', this.data], { environment: {}, island: this.island }, allowed)
  }

  /** Starts the agent and waits until its local API answers, at most half a minute. */
  async start(): Promise<void> {
    const line = [process.execPath, program, '--json', 'agent', 'run', '--data', this.data]
    const [command, args] = this.island ? this.island.inside(line) : [process.execPath, line.slice(1)]
    const log = createWriteStream(join(this.directory, 'agent.log'), { flags: 'a' })
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env } })
    this.#agent = child
    child.stderr.pipe(log)
    const ready = new Promise<void>((done, failed) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        log.write(`${text}\n`)
        if (text.includes('"ready"')) done()
      })
      child.once('exit', (code) => failed(new Error(`the agent of ${this.name} ended with ${code}; see ${log.path}`)))
      setTimeout(() => failed(new Error(`the agent of ${this.name} was not ready; see ${log.path}`)), 30_000).unref()
    })
    await ready
  }

  async status(): Promise<AgentStatus> {
    return (await this.landfall(['status'], [0, 3])) as AgentStatus
  }

  /** Asks the agent to end, and kills it after 20 s. What it runs goes on. */
  async stop(): Promise<void> {
    const child = this.#agent
    this.#agent = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    await new Promise<void>((done) => {
      const kill = setTimeout(() => child.kill('SIGKILL'), 20_000)
      child.once('exit', () => {
        clearTimeout(kill)
        done()
      })
      child.kill('SIGTERM')
    })
  }
}

/** The courier: a file is copied from one place's outbox into another's inbox, and into nothing else. */
export async function carry(file: string, inbox: string): Promise<string> {
  mkdirSync(inbox, { recursive: true })
  const there = join(inbox, basename(file))
  if (existsSync(there)) throw new Error(`${there} was carried before`)
  await copyFile(file, there)
  return there
}
