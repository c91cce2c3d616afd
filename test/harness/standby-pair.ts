import { execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { debianPostgres, find } from '../../scripts/setup/system-packages.ts'
import { freePort } from './manager-process.ts'

/** Whom the servers run as where we are root: PostgreSQL refuses root. */
type User = { uid: number; gid: number } | null

/** Two PostgreSQL servers of the system's packages: nothing is committed before the second has it on its disk. */
export class StandbyPair {
  readonly directory: string
  readonly primary: string
  readonly standby: string
  readonly #bin: string
  readonly #user: User
  readonly #running = new Map<string, number>()

  private constructor(made: { directory: string; bin: string; ports: [number, number]; user: User }) {
    this.directory = made.directory
    this.#bin = made.bin
    this.#user = made.user
    this.primary = `postgresql://postgres@127.0.0.1:${made.ports[0]}/postgres`
    this.standby = `postgresql://postgres@127.0.0.1:${made.ports[1]}/postgres`
  }

  static async start(): Promise<StandbyPair> {
    // The packages keep the server's programs out of PATH.
    const bin = dirname(find(debianPostgres) ?? '')
    const directory = await mkdtemp(join(tmpdir(), 'landfall-standby-'))
    const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : null
    await chmod(directory, 0o755)
    if (user) chownSync(directory, user.uid, user.gid)
    const pair = new StandbyPair({ directory, bin, ports: [await freePort(), await freePort()], user })
    await pair.#run('initdb', [
      '-D',
      pair.#at('primary'),
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ])
    await pair.#launch('primary', pair.primary, [])
    const from = ['-h', '127.0.0.1', '-p', new URL(pair.primary).port, '-U', 'postgres']
    await pair.#run('pg_basebackup', [...from, '-D', pair.#at('standby'), '-R', '-X', 'stream', '-c', 'fast'])
    // By itself it waits for no other once it is promoted.
    await pair.#launch('standby', pair.standby, ['-c', 'synchronous_standby_names='])
    await query(pair.primary, `alter system set synchronous_standby_names = '*'`)
    await query(pair.primary, 'select pg_reload_conf()')
    const states = () => query(pair.primary, 'select sync_state from pg_stat_replication')
    while (!(await states()).some((row) => row.sync_state === 'sync')) await sleep(50)
    return pair
  }

  /** The primary and all that belongs to it at once, as when its machine loses power. */
  killPrimary(): void {
    const pid = this.#running.get('primary')
    if (pid === undefined) return
    const children = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .flatMap(([child = 0, parent]) => (parent === pid ? [child] : []))
    for (const one of [pid, ...children]) signal(one, 'SIGKILL')
    this.#running.delete('primary')
  }

  async promote(): Promise<void> {
    await this.#run('pg_ctl', ['promote', '-w', '-D', this.#at('standby')])
  }

  async stop(): Promise<void> {
    for (const pid of this.#running.values()) signal(pid, 'SIGINT')
    const alive = () => [...this.#running.values()].some((pid) => signal(pid, 0))
    while (alive()) await sleep(50)
    await rm(this.directory, { recursive: true, force: true })
  }

  #at(name: string): string {
    return join(this.directory, name)
  }

  #run(program: string, args: readonly string[]) {
    const options = { cwd: this.directory, timeout: 60_000, env: { PATH: '/usr/bin:/bin' }, ...(this.#user ?? {}) }
    return promisify(execFile)(join(this.#bin, program), args, options)
  }

  async #launch(name: string, url: string, more: readonly string[]): Promise<void> {
    const sockets = this.#at(`${name}-sockets`)
    mkdirSync(sockets)
    if (this.#user) chownSync(sockets, this.#user.uid, this.#user.gid)
    const own = ['-D', this.#at(name), '-p', new URL(url).port, '-k', sockets, '-c', 'listen_addresses=127.0.0.1']
    const child = spawn(join(this.#bin, 'postgres'), [...own, ...more], {
      cwd: this.directory,
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin' },
      ...(this.#user ?? {}),
    })
    child.once('exit', () => this.#running.delete(name))
    if (child.pid !== undefined) this.#running.set(name, child.pid)
    const until = Date.now() + 60_000
    while (!(await query(url, 'select 1').catch(() => null))) {
      if (Date.now() > until) throw new Error(`the ${name} did not start within a minute`)
      await sleep(100)
    }
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const idOf = (flag: '-u' | '-g') => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
