import { join } from 'node:path'
import { type RunningPostgres, removePostgres, startPostgres } from '@landfall/postgres'

interface Entry {
  starting: Promise<RunningPostgres>
  running: RunningPostgres | null
  error: string | null
  failedAt: number
}

/** A server that does not start is tried again after this. */
const againMs = 5_000

/** The PostgreSQL servers of this environment's `postgres` resources; each is adopted when it already runs. */
export class PostgresServers {
  readonly #directory: string
  readonly #entries = new Map<string, Entry>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Starts it unless it runs; a server that died is started again. Level-triggered: call it as often as you like. */
  ensure(name: string): Promise<RunningPostgres> {
    const before = this.#entries.get(name)
    if (before && stands(before)) return before.starting
    const entry: Entry = {
      starting: startPostgres({ directory: join(this.#directory, name) }),
      running: null,
      error: null,
      failedAt: Number.POSITIVE_INFINITY,
    }
    this.#entries.set(name, entry)
    entry.starting.then(
      (running) => {
        entry.running = running
      },
      (error: Error) => {
        entry.error = error.message
        entry.failedAt = Date.now()
      },
    )
    return entry.starting
  }

  async url(name: string): Promise<string> {
    return (await this.ensure(name)).url
  }

  view(name: string): { status: 'ok' | 'starting' | 'degraded'; message: string | null; port: number | null } {
    const error = this.#entries.get(name)?.error ?? null
    this.ensure(name).catch(() => {})
    const entry = this.#entries.get(name)
    if (entry?.running) return { status: 'ok', message: null, port: entry.running.port }
    return { status: error === null ? 'starting' : 'degraded', message: error, port: null }
  }

  async remove(name: string): Promise<void> {
    await this.#entries.get(name)?.starting.catch(() => null)
    this.#entries.delete(name)
    await removePostgres(join(this.#directory, name))
  }

  async stop(): Promise<void> {
    for (const { starting } of this.#entries.values()) await (await starting.catch(() => null))?.stop()
    this.#entries.clear()
  }
}

/** It runs, is starting, or has failed so recently that another start would not help. */
function stands({ running, failedAt }: Entry): boolean {
  return running ? isAlive(running.pid) : Date.now() - failedAt < againMs
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
