import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VersionSpec } from '../../shared/control.ts'
import type { OutputSink } from '../logs/output.ts'
import { guarded, report } from '../report.ts'
import { checkHealth } from './health-check.ts'
import { processStart, signalGroup } from './process-table.ts'

/** See the state diagram in the README. */
export type InstanceState = 'starting' | 'ready' | 'unhealthy' | 'draining' | 'stopping' | 'ended'

export interface InstanceEnd {
  /** Whether we asked for it. */
  asked: boolean
  /** Why the host itself ended it, where it did. */
  cause: 'never-healthy' | 'unhealthy' | 'spawn-failed' | null
  code: number | null
  signal: string | null
  ranMs: number
  wasReady: boolean
}

export interface InstanceOptions {
  id: string
  spec: VersionSpec
  entry: string
  port: number
  /** The process's own directory; made and deleted with it. */
  directory: string
  environment: Record<string, string>
  output: OutputSink
  onChange(): void
  onStarted(pid: number, startTime: string): void
  onEnd(end: InstanceEnd): void
}

/** One process of one version: starts it, watches its health, ends it with its whole group. */
export class Instance {
  readonly id: string
  readonly port: number
  readonly spec: VersionSpec
  /** Requests and events that it works on now. */
  inFlight = 0
  /** Connections of the router to this process; kept alive between requests. */
  readonly agent = new http.Agent({ keepAlive: true, maxFreeSockets: 64 })
  #state: InstanceState = 'starting'
  #child: ChildProcess | null = null
  #wasReady = false
  #asked = false
  #cause: InstanceEnd['cause'] = null
  #idle: (() => void) | null = null
  readonly #options: InstanceOptions
  readonly #watching = new AbortController()
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: InstanceOptions) {
    this.#options = options
    this.id = options.id
    this.port = options.port
    this.spec = options.spec
    this.#start()
  }

  get state(): InstanceState {
    return this.#state
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Counts one piece of work; call what is returned when it is over. */
  begin(): () => void {
    this.inFlight++
    let over = false
    return () => {
      if (over) return
      over = true
      this.inFlight--
      if (this.inFlight === 0) this.#idle?.()
    }
  }

  /** Takes no new work, waits for what it works on, SIGTERM, and SIGKILL for the group after the grace period. */
  async stop(): Promise<void> {
    if (this.#state === 'ended') return
    if (!this.#asked) {
      this.#asked = true
      this.#watching.abort()
      this.#set('draining')
      await this.#drained()
      await this.#terminate()
    }
    await this.ended
  }

  async #drained(): Promise<void> {
    if (this.inFlight === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    const stop = new AbortController()
    await Promise.race([promise, this.ended, sleep(this.spec.gracePeriodMs, undefined, { signal: stop.signal })])
    stop.abort()
  }

  async #terminate(): Promise<void> {
    const pid = this.#child?.pid
    if (pid === undefined || this.#isEnded()) return
    this.#set('stopping')
    signalGroup(pid, 'SIGTERM')
    const stop = new AbortController()
    const late = sleep(this.spec.gracePeriodMs, 'late' as const, { signal: stop.signal }).catch(() => null)
    if ((await Promise.race([late, this.ended])) === 'late') signalGroup(pid, 'SIGKILL')
    stop.abort()
  }

  #isEnded(): boolean {
    return this.#state === 'ended'
  }

  #set(state: InstanceState): void {
    if (this.#state === state || this.#state === 'ended') return
    this.#state = state
    this.#options.onChange()
  }

  #start(): void {
    const { spec, entry, directory, environment, output } = this.#options
    const startedAt = performance.now()
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const heapMb = Math.max(32, Math.floor(spec.memoryMb * 0.8))
    const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, '--enable-source-maps', entry], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child = child
    child.on('error', () => {
      this.#cause = 'spawn-failed'
      if (child.pid === undefined) this.#finish(null, null, performance.now() - startedAt)
    })
    // Without file descriptors left there are no pipes, and the error comes after this.
    const pipes: { stdout: Readable | null; stderr: Readable | null } = child
    if (pipes.stdout) output.attach(pipes.stdout, 'stdout')
    if (pipes.stderr) output.attach(pipes.stderr, 'stderr')
    child.once('exit', (code, signal) => this.#finish(code, signal, performance.now() - startedAt))
    const { pid } = child
    if (pid === undefined) return
    void processStart(pid).then((time) => {
      if (time !== null && !this.#isEnded()) this.#options.onStarted(pid, time)
    })
    this.#watch().catch((error: unknown) => {
      if (!this.#watching.signal.aborted) report('watching a process')(error)
    })
  }

  #finish(code: number | null, signal: string | null, ranMs: number): void {
    if (this.#isEnded()) return
    this.#watching.abort()
    this.#set('ended')
    const pid = this.#child?.pid
    // Children that it left behind in its group go with it.
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
    this.agent.destroy()
    this.#options.output.close()
    // What still writes there can keep it from going; the next start of the daemon sweeps it.
    guarded('deleting a process’s directory', () =>
      rmSync(this.#options.directory, { recursive: true, force: true, maxRetries: 3 }),
    )
    this.#ended.resolve()
    this.#options.onEnd({ asked: this.#asked, cause: this.#cause, code, signal, ranMs, wasReady: this.#wasReady })
  }

  async #watch(): Promise<void> {
    const { health } = this.spec
    const { signal } = this.#watching
    const startedAt = performance.now()
    // Short waits at first, so that a quick worker is ready at once.
    for (let wait = 20; ; wait = Math.min(wait * 1.5, health.intervalMs)) {
      await sleep(wait, undefined, { signal })
      if (await this.#healthy()) break
      if (performance.now() - startedAt > health.startupMs) return this.#giveUp('never-healthy')
    }
    this.#wasReady = true
    this.#set('ready')
    let failures = 0
    for (let unhealthySince: number | null = null; ; ) {
      await sleep(health.intervalMs, undefined, { signal })
      const healthy = await this.#healthy()
      if (signal.aborted) return
      failures = healthy ? 0 : failures + 1
      if (healthy) {
        unhealthySince = null
        this.#set('ready')
      } else if (failures >= health.failures) {
        unhealthySince ??= performance.now()
        this.#set('unhealthy')
        // It gets as long to come back as it had to start.
        if (performance.now() - unhealthySince > health.startupMs) return this.#giveUp('unhealthy')
      }
    }
  }

  #healthy(): Promise<boolean> {
    return checkHealth(this.port, this.spec.health.path, this.spec.health.timeoutMs).catch(() => false)
  }

  #giveUp(cause: 'never-healthy' | 'unhealthy'): void {
    this.#cause = cause
    this.#terminate().catch(report('ending a process'))
  }
}
