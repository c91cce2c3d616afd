import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningPostgres, removePostgres, startPostgres } from '@landfall/postgres'
import pg from 'pg'

const live = 'landfall_chaos'

/** One PostgreSQL for all runs; a run's database is a copy of the one that was kept. */
export class ChaosDatabase {
  readonly #directory: string
  #server: RunningPostgres

  private constructor(directory: string, server: RunningPostgres) {
    this.#directory = directory
    this.#server = server
  }

  static async start(root: string): Promise<ChaosDatabase> {
    const directory = join(root, 'postgres')
    const database = new ChaosDatabase(directory, await startPostgres({ directory }))
    // SIGKILL takes nothing from the page cache: without the syncs the same is lost and kept, sooner.
    await database.#admin('alter system set fsync = off', 'select pg_reload_conf()')
    return database
  }

  get pidFile(): string {
    return join(this.#directory, 'data', 'postmaster.pid')
  }

  get alive(): boolean {
    try {
      return readFileSync(`/proc/${this.#server.pid}/cmdline`, 'latin1').includes('postgres')
    } catch {
      return false
    }
  }

  get url(): string {
    const url = new URL(this.#server.url)
    url.pathname = `/${live}`
    return url.toString()
  }

  /** Starts it again when it was killed: same data, same port. */
  async again(): Promise<void> {
    this.#server = await startPostgres({ directory: this.#directory, timeoutMs: 20_000 })
  }

  async empty(): Promise<void> {
    await this.#admin(`drop database if exists ${live} with (force)`, `create database ${live}`)
  }

  async keep(name: string): Promise<void> {
    await this.#admin(`drop database if exists kept_${name}`, `create database kept_${name} template ${live}`)
  }

  async bringBack(name: string): Promise<void> {
    await this.#admin(
      `drop database if exists ${live} with (force)`,
      // Copied by files and not through the log: a tenth of the time.
      `create database ${live} template kept_${name} strategy file_copy`,
    )
  }

  /**
   * Leases of a manager that was killed, or that lost its database, count as run out at once. A run would else wait up to 15 s at each point.
   * Waiting for it is what the tests of several managers do.
   */
  async expireHolds(): Promise<void> {
    const leases = ['deployments', 'rollouts', 'commands'].map(
      (table) => `update ${table} set lease_until = now() - interval '1 second' where lease_until > now()`,
    )
    await this.query(leases.join('; '))
  }

  /** Rows of each table. */
  async counts(): Promise<Record<string, number>> {
    const tables = await this.query(
      "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1",
    )
    const one = tables.map(({ name }) => `select '${name}' as name, count(*)::int as count from "${name}"`)
    const rows = await this.query(one.join(' union all '))
    return Object.fromEntries(rows.map(({ name, count }) => [String(name), Number(count)]))
  }

  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text)).rows ?? []
    } finally {
      await client.end()
    }
  }

  async #admin(...statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: this.#server.url })
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }

  remove(): Promise<void> {
    return removePostgres(this.#directory)
  }
}
