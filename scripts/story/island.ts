import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a network namespace has seen. Packets that had nowhere to go are counted too: each is somebody who tried to leave. */
export interface Packets {
  /** Interfaces beside the loopback. */
  interfaces: string[]
  /** Packets over those interfaces, both ways. */
  crossed: number
  /** Packets for which there was no route, IPv4 and IPv6. */
  noRoute: number
}

/**
 * A place without network: a network namespace of its own with nothing but a loopback, no interface and no route out. It lives as long
 * as one sleeping process; others are started inside by `nsenter`.
 */
export class Island {
  readonly #holder: ChildProcess
  readonly #pid: number
  readonly #asRoot: boolean

  private constructor(holder: ChildProcess, pid: number, asRoot: boolean) {
    this.#holder = holder
    this.#pid = pid
    this.#asRoot = asRoot
  }

  /** Opens one; or says why this machine can't have one. */
  static async open(): Promise<Island | { unavailable: string }> {
    if (process.platform !== 'linux') return { unavailable: 'network namespaces are a Linux thing' }
    const asRoot = process.getuid?.() === 0
    const flags = asRoot ? ['--net'] : ['--net', '--user', '--map-root-user']
    const tried = spawnSync('unshare', [...flags, 'true'], { encoding: 'utf8' })
    if (tried.status !== 0) {
      return { unavailable: `unshare ${flags.join(' ')}: ${(tried.error?.message ?? tried.stderr).trim()}` }
    }
    // In a user namespace, only who is root there may raise the loopback; outside it is the same user as before.
    const holder = spawn('unshare', [...flags, 'sh', '-c', 'ip link set lo up && echo up && exec sleep 86400'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const up = await Promise.race([
      new Promise<boolean>((done) => holder.stdout.once('data', () => done(true))),
      new Promise<boolean>((done) => holder.once('exit', () => done(false))),
      sleep(5_000, false, { ref: false }),
    ])
    if (!up || holder.pid === undefined) {
      holder.kill('SIGKILL')
      return { unavailable: 'the loopback of a new network namespace could not be raised (is `ip` there?)' }
    }
    return new Island(holder, holder.pid, asRoot)
  }

  /** The command line that runs `argv` inside. */
  inside(argv: readonly string[]): [string, string[]] {
    const flags = this.#asRoot ? ['--net'] : ['--user', '--preserve-credentials', '--net']
    return ['nsenter', ['--target', String(this.#pid), ...flags, '--', ...argv]]
  }

  packets(): Packets {
    const read = (name: string) => readFileSync(`/proc/${this.#pid}/net/${name}`, 'utf8')
    const rows = read('dev').split('\n').slice(2).filter(Boolean)
    const outside = rows
      .map((row) => {
        const [name = '', counts = ''] = row.trim().split(/:\s*/)
        const columns = counts.split(/\s+/).map(Number)
        return { name, crossed: (columns[1] ?? 0) + (columns[9] ?? 0) }
      })
      .filter(({ name }) => name !== 'lo')
    const noRoute4 = counterOf(read('snmp'), 'Ip', 'OutNoRoutes')
    const noRoute6 = Number(/^Ip6OutNoRoutes\s+(\d+)$/m.exec(read('snmp6'))?.[1] ?? 0)
    return {
      interfaces: outside.map(({ name }) => name),
      crossed: outside.reduce((sum, one) => sum + one.crossed, 0),
      noRoute: noRoute4 + noRoute6,
    }
  }

  close(): void {
    this.#holder.kill('SIGKILL')
  }
}

/** A value of `/proc/net/snmp`: a line of names, then a line of numbers. */
function counterOf(text: string, group: string, name: string): number {
  const [names, values] = text
    .split('\n')
    .filter((line) => line.startsWith(`${group}:`))
    .map((line) => line.split(' '))
  const at = names?.indexOf(name) ?? -1
  if (at < 0) throw new Error(`/proc/net/snmp has no ${group} ${name}`)
  return Number(values?.[at])
}
